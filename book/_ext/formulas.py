"""The lecture's equations in TeX, in the letters of the chapters and with ids from 0.

Where the text at hand has lost a sign or errs, the formula is the right one, and the chapter that
the index names says what was there.
"""

FORMULAS = {
    1: r"\boldsymbol{v} = \begin{bmatrix} v_1 & v_2 & \cdots & v_n \end{bmatrix}^\top",
    2: r"\langle \boldsymbol{u}, \boldsymbol{v} \rangle := \sum_{i=1}^{n} u_i v_i",
    3: r"""\boldsymbol{A} = \begin{bmatrix} a_{1,1} & \cdots & a_{1,n} \\ \vdots & \ddots &
        \vdots \\
        a_{m,1} & \cdots & a_{m,n} \end{bmatrix}""",
    4: r"""\boldsymbol{A}^\top = \begin{bmatrix} a_{1,1} & \cdots & a_{m,1} \\ \vdots & \ddots &
        \vdots \\ a_{1,n} & \cdots & a_{m,n} \end{bmatrix}""",
    5: r"\boldsymbol{v}^\top = \begin{bmatrix} v_1 & \cdots & v_n \end{bmatrix}",
    6: r"""\boldsymbol{t} \in \{0, \dots, V-1\}^{77}, \quad \boldsymbol{C} \in \mathbb{R}^{77
        \times 768}""",
    7: r"""\boldsymbol{t} = \begin{cases} (\tilde t_1, \dots, \tilde t_\ell,
        \underbrace{\mathrm{PAD}, \dots, \mathrm{PAD}}_{77 - \ell}) & \text{if } \ell \le 77 \\
        (\tilde t_1, \dots, \tilde t_{76}, \mathrm{EOS}) & \text{if } \ell > 77 \end{cases}""",
    8: r"\mathsf{MaskPAD} : \{0, \dots, V-1\}^{77} \to \{0, 1\}^{77}",
    9: r"\boldsymbol{a} = \mathsf{MaskPAD}(\boldsymbol{t})",
    10: r"""a_i := \begin{cases} 1 & \text{if } t_i \ne \mathrm{PAD} \\
        0 & \text{if } t_i = \mathrm{PAD} \end{cases}""",
    11: r"""\mathsf{TextEncoder}_{\boldsymbol\theta_{\mathrm{TE}}} : \{0, \dots,
        V-1\}^{L_{\mathrm{tok}}}
        \to \mathbb{R}^{L_{\mathrm{ctx}} \times d_{\mathrm{ctx}}}""",
    12: r"""\widehat{\boldsymbol{C}} = \mathsf{PW}_{\{\psi_k\}, \mathcal{S}}(\boldsymbol{C})
        \in \mathbb{R}^{L_{\mathrm{ctx}} \times d_{\mathrm{ctx}}}""",
    13: r"\widehat{\boldsymbol{c}}_i = \psi_k(\boldsymbol{c}_i) \quad \text{if } i \in S_k",
    14: r"\psi_k(\boldsymbol{x}) = r_k\, \boldsymbol{x}",
    15: r"""\text{(span)} : \quad r_k = \lambda^n \text{ for } n \text{ brackets}, \quad
        \lambda = 1.1""",
    16: r"\text{(span:r)} : \quad r_k = r > 1",
    17: r"\text{span+} : \quad r_k = \lambda^n \text{ for } n \text{ signs}, \quad \lambda = 1.1",
    18: r"\text{(span)r} : \quad r_k = r > 1",
    20: r"\text{(span)r} : \quad 0 < r < 1",
    21: r"\Theta_{\mathrm{Emb}} = (\boldsymbol{E} \in \mathbb{R}^{V \times d})",
    22: r"""\mathsf{Embedding}_{\Theta_{\mathrm{Emb}}}(\boldsymbol{t}) = \boldsymbol{X}
        \in \mathbb{R}^{L \times d}""",
    23: r"X_{i,:} = E_{t_i,:}",
    24: r"""\Theta_{\mathrm{LN}} = (\boldsymbol\gamma \in \mathbb{R}^d,
        \boldsymbol\beta \in \mathbb{R}^d)""",
    25: r"""\mu_i = \frac{1}{d} \sum_{j=1}^d X_{i,j}, \quad
        \sigma_i^2 = \frac{1}{d} \sum_{j=1}^d (X_{i,j} - \mu_i)^2""",
    26: r"Y_{i,j} = \gamma_j \frac{X_{i,j} - \mu_i}{\sqrt{\sigma_i^2 + \varepsilon}} + \beta_j",
    27: r"\mathsf{QuickGELU}(u) = u\, \sigma(1.702\, u), \quad \sigma(x) = \frac{1}{1 + e^{-x}}",
    28: r"""\big(\mathsf{Softmax}^{(1)}(\boldsymbol{A})\big)_{p,q} =
        \frac{\exp(A_{p,q})}{\sum_{p'=1}^m \exp(A_{p',q})}""",
    29: r"""\big(\mathsf{Softmax}^{(2)}(\boldsymbol{A})\big)_{p,q} =
        \frac{\exp(A_{p,q})}{\sum_{q'=1}^n \exp(A_{p,q'})}""",
    30: r"""\Theta_{\mathrm{Attn}} = \big(\{\boldsymbol{W}_Q^{(\ell)}, \boldsymbol{W}_K^{(\ell)},
        \boldsymbol{W}_V^{(\ell)} \in \mathbb{R}^{d \times d_h}\}_{\ell=1}^h,
        \boldsymbol{W}_O \in \mathbb{R}^{(h d_h) \times d}\big)""",
    31: r"""\boldsymbol{Q}^{(\ell)} = \boldsymbol{X} \boldsymbol{W}_Q^{(\ell)}, \quad
        \boldsymbol{K}^{(\ell)} = \boldsymbol{X} \boldsymbol{W}_K^{(\ell)}, \quad
        \boldsymbol{V}^{(\ell)} = \boldsymbol{X} \boldsymbol{W}_V^{(\ell)}""",
    32: r"""\boldsymbol{S}^{(\ell)} = \frac{\boldsymbol{Q}^{(\ell)}
        (\boldsymbol{K}^{(\ell)})^\top}{\sqrt{d_h}}""",
    33: r"""\widetilde{S}^{(\ell)}_{i,j} = \begin{cases} S^{(\ell)}_{i,j} & \text{if } M_{i,j}
        = 1 \\
        -\infty & \text{if } M_{i,j} = 0 \end{cases}""",
    34: r"""\boldsymbol{A}^{(\ell)} = \mathsf{Softmax}^{(2)}(\widetilde{\boldsymbol{S}}^{(\ell)})\,
        \boldsymbol{V}^{(\ell)}""",
    35: r"""\mathsf{CLIPAttention}_{\Theta_{\mathrm{Attn}}}(\boldsymbol{X}, \boldsymbol{M}) =
        [\boldsymbol{A}^{(1)} \mid \dots \mid \boldsymbol{A}^{(h)}]\, \boldsymbol{W}_O""",
    36: r"""\Theta_{\mathrm{MLP}} = (\boldsymbol{W}_1 \in \mathbb{R}^{d \times d_{\mathrm{mlp}}},
        \boldsymbol{b}_1, \boldsymbol{W}_2 \in \mathbb{R}^{d_{\mathrm{mlp}} \times d},
        \boldsymbol{b}_2)""",
    37: r"\boldsymbol{H}_1 = \boldsymbol{X} \boldsymbol{W}_1 + \mathbf{1}_L \boldsymbol{b}_1^\top",
    38: r"\boldsymbol{H}_2 = \mathsf{QuickGELU}(\boldsymbol{H}_1)",
    39: r"""\mathsf{CLIPMLP}_{\Theta_{\mathrm{MLP}}}(\boldsymbol{X}) = \boldsymbol{H}_2
        \boldsymbol{W}_2
        + \mathbf{1}_L \boldsymbol{b}_2^\top""",
    40: r"""\Theta_{\mathrm{EL}} = (\Theta_{\mathrm{LN1}}, \Theta_{\mathrm{Attn}},
        \Theta_{\mathrm{LN2}}, \Theta_{\mathrm{MLP}})""",
    41: r"\boldsymbol{U} = \mathsf{LayerNorm}_{\Theta_{\mathrm{LN1}}}(\boldsymbol{X})",
    42: r"""\boldsymbol{H} = \mathsf{CLIPAttention}_{\Theta_{\mathrm{Attn}}}(\boldsymbol{U},
        \boldsymbol{M})""",
    43: r"""\boldsymbol{Y} = \boldsymbol{X} + \boldsymbol{H}, \quad
        \boldsymbol{V} = \mathsf{LayerNorm}_{\Theta_{\mathrm{LN2}}}(\boldsymbol{Y})""",
    44: r"""\boldsymbol{Z} = \mathsf{CLIPMLP}_{\Theta_{\mathrm{MLP}}}(\boldsymbol{V}), \quad
        \mathsf{CLIPEncoderLayer}_{\Theta_{\mathrm{EL}}}(\boldsymbol{X}, \boldsymbol{M}) =
        \boldsymbol{Y} + \boldsymbol{Z}""",
    45: r"""\Theta_{\mathrm{Enc}} = (\Theta_{\mathrm{EL}}^{(1)}, \dots, \Theta_{\mathrm{EL}}^{(N)},
        \Theta_{\mathrm{LNf}})""",
    46: r"\boldsymbol{H}_0 = \boldsymbol{X}",
    47: r"""\boldsymbol{H}_\ell = \mathsf{CLIPEncoderLayer}_{\Theta_{\mathrm{EL}}^{(\ell)}}
        (\boldsymbol{H}_{\ell-1}, \boldsymbol{M}) \quad (\ell = 1, \dots, N)""",
    48: r"""\mathsf{CLIPEncoder}_{\Theta_{\mathrm{Enc}}}(\boldsymbol{X}, \boldsymbol{M}) =
        \mathsf{LayerNorm}_{\Theta_{\mathrm{LNf}}}(\boldsymbol{H}_N)""",
    49: r"\boldsymbol{T} = \mathsf{Embedding}_{\Theta_{\mathrm{Tok}}}(\boldsymbol{t})",
    50: r"\boldsymbol{P} = \mathsf{Embedding}_{\Theta_{\mathrm{Pos}}}([0, 1, \dots, L-1])",
    51: r"\mathsf{CLIPTextEmbeddings}(\boldsymbol{t}) = \boldsymbol{T} + \boldsymbol{P}",
    52: r"(V, L, d, h, d_h, N, d_{\mathrm{mlp}}) = (49408, 77, 768, 12, 64, 12, 3072)",
    53: r"""\boldsymbol\theta_{\mathrm{TE}} = (\Theta_{\mathrm{Tok}}, \Theta_{\mathrm{Pos}},
        \Theta_{\mathrm{Enc}})""",
    54: r"\boldsymbol{X}_0 = \mathsf{CLIPTextEmbeddings}(\boldsymbol{t})",
    55: r"\boldsymbol{C}_{\mathrm{causal}} = [\mathbf{1}_{\{j \le i\}}]_{i,j=1}^L",
    56: r"\boldsymbol{M}_{\mathrm{pad}} = [a_j]_{i,j=1}^L",
    57: r"\boldsymbol{M} = \boldsymbol{C}_{\mathrm{causal}} \odot \boldsymbol{M}_{\mathrm{pad}}",
    58: r"""\boldsymbol{X}_N = \mathsf{CLIPEncoder}_{\Theta_{\mathrm{Enc}}}(\boldsymbol{X}_0,
        \boldsymbol{M})""",
    59: r"""\mathsf{CLIPTextModel}_{\boldsymbol\theta_{\mathrm{TE}}}(\boldsymbol{t}) =
        \boldsymbol{X}_N""",
    60: r"""\boldsymbol{u}_i = \frac{\mathsf{TextEncoder}(\boldsymbol{t}_i)}
        {\lVert \mathsf{TextEncoder}(\boldsymbol{t}_i) \rVert_2}, \quad
        \boldsymbol{v}_i = \frac{\mathsf{ImageEncoder}(\underline{\boldsymbol{I}}_i)}
        {\lVert \mathsf{ImageEncoder}(\underline{\boldsymbol{I}}_i) \rVert_2}""",
    61: r"S_{ij} = \frac{\langle \boldsymbol{u}_i, \boldsymbol{v}_j \rangle}{\tau}",
    62: r"""\mathcal{L}_{\text{Text}\to\text{Image}} = \frac{1}{N} \sum_{i=1}^N
        -\log \frac{\exp S_{ii}}{\sum_{j=1}^N \exp S_{ij}}""",
    63: r"""\mathcal{L}_{\text{Image}\to\text{Text}} = \frac{1}{N} \sum_{i=1}^N
        -\log \frac{\exp S_{ii}}{\sum_{j=1}^N \exp S_{ji}}""",
    64: r"""\mathcal{L}_{\text{CLIP}} = \tfrac12 \big(\mathcal{L}_{\text{Text}\to\text{Image}}
        + \mathcal{L}_{\text{Image}\to\text{Text}}\big)""",
}
