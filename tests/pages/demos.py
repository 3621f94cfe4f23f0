"""What the page tests of the demos share: typing, waiting, reading the table."""

from playwright.sync_api import expect


def settled(demo, what):
    """Wait until the read-out says this."""
    expect(demo.locator(".cld-read")).to_contain_text(what)


def until(demo, holds):
    """Wait until this is so: a drawing takes its time."""
    for _ in range(6000):  # 50 ms each: a guard against hangs
        if holds():
            return
        demo.page.wait_for_timeout(50)
    assert holds()


def redrawn(demo, act):
    """Do something, and wait until the demo has drawn what follows from it."""
    drawn = demo.get_attribute("data-drawn")
    act()
    expect(demo).not_to_have_attribute("data-drawn", drawn)


def write(demo, label, text):
    """Type into a field, and wait until it has been read."""
    redrawn(demo, lambda: demo.get_by_label(label).fill(text))


def reveal(demo, preset):
    """Choose an example, and look at its answer."""
    demo.get_by_role("button", name=preset, exact=True).click()
    demo.get_by_role("button", name="Reveal").click()


def table(demo):
    """The cells of the table view, row by row, the head left out."""
    demo.locator(".cld-table").evaluate("table => { table.open = true; }")
    demo.locator(".cld-table tbody").wait_for(state="attached")
    return demo.locator(".cld-table tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
