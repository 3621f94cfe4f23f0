"""The school around cliplab: what assesses, and the recipe of the shipped miniature.

    miniature/   how the miniature Stable Diffusion is trained, judged and studied
"""
