"""The mathematics that several demos share. The kernel runs it; pages run its ONNX exports.

graph.py   what a graph is: a module, its inputs and outputs, how it is exported
run.py     a graph in the kernel
clip.py    the miniature CLIP: text, image, similarity
looks.py   where a row of a text encoder looks on the whole
weigh.py   weights by every tool's method
paint.py   the miniature Stable Diffusion
regions.py where in its picture each word was read

What one demo alone computes is in its own folder, graphs.py. Each demo's `Live` names its graphs.
"""
