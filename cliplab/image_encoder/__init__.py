"""CLIP's image encoders: pictures in, one vector each out, in the space that captions share.

Files, in the order in which to read them:

    config.py       CLIPVisionConfig, CLIPResNetConfig
    vit.py          CLIPVisionModel: patches through the text encoder's own layers
    resnet.py       CLIPResNet: convolutions, and attention in place of the last average
    preprocess.py   Preprocess: a PIL picture as the encoder wants it
"""

from .config import CLIPResNetConfig, CLIPVisionConfig
from .preprocess import Preprocess, ResizeMode
from .resnet import CLIPResNet
from .vit import CLIPVisionModel, ImageEncoderOutput

ImageEncoder = CLIPVisionModel | CLIPResNet

__all__ = [
    "CLIPResNet", "CLIPResNetConfig", "CLIPVisionConfig", "CLIPVisionModel", "ImageEncoder",
    "ImageEncoderOutput", "Preprocess", "ResizeMode",
]  # fmt: skip
