"""The second judge: each kind of fault is told apart, and real pictures are right."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classroom.miniature import second
from classroom.miniature.scenes import Drawn, draw_scene, render
from classroom.miniature.second import judge
from classroom.miniature.second.ceilings import UNSEEN, Tally, by_second, scenes, unseen
from classroom.miniature.second.colors import distance, lab
from classroom.miniature.second.names import TEACHERS
from classroom.miniature.second.regions import joined, regions
from classroom.miniature.things import STYLES
from cliplab.training.data.scenes import SHAPES, Scene, Thing, swap_colors, swap_order

RED = Thing("", "red", "circle", x=0.3, y=0.5)
BLUE = Thing("", "blue", "star", x=0.7, y=0.5)
PAIR = Scene((RED, BLUE), "left of")


def kinds(picture: Scene | np.ndarray, asked: Scene) -> set[str]:
    """The kinds of faults on a picture, or on that of a scene."""
    picture = render(picture) if isinstance(picture, Scene) else picture
    return {fault.kind for fault in judge(picture, asked).faults}


def named(word: str, color: str = "", **place) -> Drawn:
    return Drawn("", color, word, radius=0.27, style=UNSEEN, **place)


def test_distances_of_colors_are_those_of_the_standard():
    red, white = lab(np.array([[255, 0, 0], [255, 255, 255]]))
    np.testing.assert_allclose(red, (53.24, 80.09, 67.20), atol=0.02)
    np.testing.assert_allclose(white, (100, 0, 0), atol=0.02)
    assert distance(lab(np.array([222, 32, 38])), "red") == 0
    assert distance(lab(np.array([128, 38, 170])), "red") > 50
    assert distance(white, "black") > 30, "half of white is the palest tint"


@pytest.mark.parametrize("seen", SHAPES)
def test_every_shape_is_taken_for_itself_and_for_no_other(seen):
    for size, radius in (("small", 0.115), ("large", 0.22)):
        picture = render(Scene((Thing(size, "green", seen, radius=radius),)))
        for asked in SHAPES:
            fault = set() if seen == asked else {"shape"}
            assert kinds(picture, Scene((Thing("", "green", asked),))) == fault


def test_a_color_is_right_up_to_half_of_white():
    def red(pale):
        return Scene((replace(RED, pale=pale),))

    assert not kinds(red(0), red(0))
    assert not kinds(red(0.5), red(0))
    assert kinds(red(0.75), red(0)) == {"color"}
    orange = Scene((replace(RED, color="orange"),))
    verdict = judge(render(orange), red(0))
    assert kinds(orange, red(0)) == {"color"}
    assert verdict.reason.startswith("the red circle is ΔE ")
    assert verdict.distances[0] > 15


def test_each_fault_of_two_things_is_told_apart():
    third = replace(RED, x=0.5, y=0.85, radius=0.1)
    touching = Scene((replace(RED, x=0.4), replace(BLUE, x=0.6)), "left of")
    assert not kinds(PAIR, PAIR)
    assert kinds(Scene((RED,)), PAIR) == {"number"}
    assert kinds(Scene((RED, BLUE, third)), PAIR) == {"number"}
    assert kinds(touching, PAIR) == {"number"}
    assert kinds(Scene(()), PAIR) == {"number"}
    assert kinds(PAIR, swap_colors(PAIR)) == {"color"}
    assert kinds(PAIR, Scene((replace(RED, shape="ring"), BLUE), "left of")) == {"shape"}
    assert kinds(PAIR, replace(PAIR, background="black")) == {"ground"}
    assert judge(render(Scene(())), PAIR).distances == (float("inf"),) * 2


def test_a_relation_is_right_in_its_direction_alone():
    assert kinds(PAIR, swap_order(PAIR)) == {"relation"}
    assert judge(render(PAIR), swap_order(PAIR)).things_right
    for relation in ("right of", "above", "below"):
        assert kinds(PAIR, replace(PAIR, relation=relation)) == {"relation"}
    for order in (PAIR, swap_order(PAIR)):
        assert not kinds(order, replace(PAIR, relation="and"))
    more_below = Scene((replace(RED, x=0.4, y=0.25), replace(BLUE, x=0.6, y=0.75)), "left of")
    assert kinds(more_below, more_below) == {"relation"}
    assert not kinds(more_below, replace(more_below, relation="above"))


def test_specks_are_no_things_and_sizes_are_not_judged():
    picture = render(PAIR)
    picture[5:8, 5:8] = picture[60, 20:23] = 0
    assert not kinds(picture, PAIR)
    large = tuple(replace(thing, size="large") for thing in PAIR.things)
    assert not kinds(picture, replace(PAIR, things=large))


def test_a_drawing_in_parts_is_one_thing():
    rays = regions(render(Scene((named("sun"),))))
    assert len(rays) > 2
    assert len(joined(rays, 1)) == 1
    far = regions(render(PAIR))
    assert len(joined(far, 1)) == 2, "what stands apart stays apart"


def test_things_with_names_are_told_apart():
    scene = Scene((named("heart", x=0.27), named("tree", x=0.73)), "left of")
    assert not kinds(scene, scene)
    assert kinds(scene, swap_order(scene)) == {"relation"}
    assert kinds(scene, Scene((named("heart"), named("mushroom")), "left of")) == {"shape"}
    assert kinds(scene, Scene((named("heart"),))) == {"number"}
    assert judge(render(scene), scene).ranks == (1, 1)


def test_the_color_of_a_thing_with_a_name_is_the_one_of_its_middle_shade():
    house = Scene((named("house", "purple"),))
    assert not kinds(house, house)
    assert kinds(house, Scene((named("house", "blue"),))) == {"color"}


def test_shares_are_of_pictures_and_colors_of_those_asked_for():
    swapped, one = swap_order(PAIR), Scene((RED,))
    asked = [PAIR, swapped, one, Scene((replace(RED, color="orange"),))]
    found = by_second([render(scene) for scene in (PAIR, PAIR, one, one)], asked).shares()
    assert (found["both"], found["relation"]) == (3 / 4, 2 / 4)
    assert found["color"] == round(5 / 6, 4)
    assert found["faults"] == {"relation": 1 / 4, "color": 1 / 4}
    uncolored = Scene((named("heart"),))
    assert by_second([render(uncolored)], [uncolored]).shares()["color"] is None


@pytest.mark.parametrize("objects", [1, 2])
def test_rendered_shapes_are_right(objects):
    for number in range(25):
        scene = draw_scene(f"ceiling {number}", objects)
        assert judge(render(scene), scene).right, scene.caption


def test_most_drawings_by_an_artist_that_it_has_not_seen_are_named():
    tally = Tally()
    for scene in scenes("one named", 40):
        tally.add(render(scene), scene)
    ranks = [rank for places in tally.names.values() for rank in places]
    assert len(ranks) >= 36
    assert np.mean(np.array(ranks) == 1) >= 0.65
    assert np.mean(np.array(ranks) <= 3) >= 0.85


def test_no_artist_teaches_both_the_miniature_and_the_judge():
    assert not {*TEACHERS, UNSEEN} & {*STYLES}
    assert UNSEEN not in TEACHERS
    drawn = draw_scene("any", 1, named=1)
    assert drawn.things[0].style in STYLES
    assert unseen(drawn).things[0].style == UNSEEN


def test_it_shares_no_code_with_the_first_judge():
    shared = {"colors", "ceilings", "features", "names", "outlines", "regions", "verdict"}
    shared |= {"scenes", "things", "folder"}
    for path in Path(second.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                assert node.module in shared, f"{path.name} imports {node.module}"
            elif isinstance(node, ast.ImportFrom | ast.Import):
                assert "classroom" not in ast.unparse(node)
