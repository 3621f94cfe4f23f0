"""Figures that carry their own words: each has `.alt` text and a `.table` of what it draws.

Every function takes plain data (numbers, lists, tensors) and returns a `Figure`, which a notebook
shows as an inline SVG that reads in light and dark themes, with its numbers folded below.
"""

from ..extras import need

need("matplotlib", "notebooks")

from .by_token import weights_by_token
from .changes import row_changes
from .chunks import chunk_lanes
from .classes import class_bars, confusion
from .curves import curves
from .data import kinds_of
from .denoiser import denoiser_training
from .diagrams import encoder_diagram, parameter_bars, parameter_counts
from .encoder import activation_curves, attention_grid, norms_by_layer
from .figure import Figure, Table
from .geometry import weight_geometry
from .masks import mask_heatmap, mask_product
from .merges import merge_ladder
from .noising import forward_noising
from .pairs import pair_tables
from .pictures import picture_grid, search_results
from .pipeline import pipeline_diagram
from .reading import reading_diagram
from .similarity import similarity_heatmap
from .temperature import softmax_by_temperature
from .tokens import token_strip
from .training import training_curves
from .unet import unet_diagram
from .vit import vit_diagram
from .weights import weighted_prompts

__all__ = [
    "Figure",
    "Table",
    "activation_curves",
    "attention_grid",
    "chunk_lanes",
    "class_bars",
    "confusion",
    "curves",
    "denoiser_training",
    "encoder_diagram",
    "forward_noising",
    "kinds_of",
    "mask_heatmap",
    "mask_product",
    "merge_ladder",
    "norms_by_layer",
    "pair_tables",
    "parameter_bars",
    "parameter_counts",
    "picture_grid",
    "pipeline_diagram",
    "reading_diagram",
    "row_changes",
    "search_results",
    "similarity_heatmap",
    "softmax_by_temperature",
    "token_strip",
    "training_curves",
    "unet_diagram",
    "vit_diagram",
    "weight_geometry",
    "weighted_prompts",
    "weights_by_token",
]
