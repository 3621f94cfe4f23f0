"""The methods, by the names that `method=` takes. A new one has a class and one line here."""

from .down_weighting import DownWeighting
from .methods import FromEmpty, Ignore, Method, RestoreMean, Scale

METHODS: dict[str, Method] = {
    "ignore": Ignore(),
    "scale": Scale(),
    "restore_mean": RestoreMean(),
    "from_empty": FromEmpty(),
    "compel": DownWeighting(),
}
