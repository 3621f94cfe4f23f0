"""Training the miniature Stable Diffusion: an autoencoder, then a text encoder and a U-Net.

    things.py   things with names: emoji, and their colors
    scenes.py   what is painted, in balance; pictures
    vae.py      pictures ↔ latents; whitening; the decoder's tuning
    words.py    captions of which only a word's own row is always right
    text.py     the vocabulary, the text encoder, contexts of such captions
    pool.py     latents, made as the run goes; where the things are on them
    focus.py    cross-attention that is told where to look
    unet.py     latents and captions → the U-Net and the text encoder
    muon.py     steps in which every direction of a matrix counts alike
    loop.py     steps, snapshots, a moving average of the weights
    folder.py   the parts as a folder of diffusers
    judge.py    which shapes are on a picture, by geometry alone
    naming.py   which named things are on it, by the miniature CLIP
    scores.py   what was asked for, against what the judge sees
    study.py    what the weight of a word does to the picture
    guided.py   what guidance and a negative prompt do to it

The miniature CLIP is trained by ``cliplab.train``; clip_scores.py has what its card states.

From a shell: ``python -m classroom.miniature --help``.
"""
