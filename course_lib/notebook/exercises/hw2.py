"""Checks of homework 2, VQ-VAE on music. The marks come from other, hidden inputs."""

import math

import torch

from course_lib.notebook.expecting import expect, expect_close, expect_record

FAULTS = ("late", "stuck", "clipped", "deaf", "raised")
ALL_OF_IT = {"late": 4, "stuck": 62, "clipped": 768, "deaf": 79, "raised": 3}


def coverage(answer):
    got = answer([4, 4, 3], [2, 2, 1])
    expect(isinstance(got, tuple) and len(got) == 2, "The answer should be two numbers.")
    hop, field = got
    expect(hop != 5, "You added the strides.", "A step of a step: they multiply.")
    expect(hop == 4, f"The hop is not {hop}.", "The product of the strides.")
    expect(field != 9, "Each layer's steps count as steps of the input.",
           "After a stride of 2 a step is two inputs.")  # fmt: skip
    expect(field != 29, "A layer's own stride already counts in its field.",
           "Its kernel steps over the inputs of that layer.")  # fmt: skip
    expect(field == 18, f"The receptive field is not {field}.", "1 + 3 * 1 + 3 * 2 + 2 * 4")


def fsq(answer):
    z = torch.tensor([[0.0, 3.0], [-3.0, 0.6], [0.3, -0.3]], requires_grad=True)  # [3, 2]
    got = answer(z, [3, 5])
    expect(isinstance(got, tuple) and len(got) == 2, "The answer should be two: values and codes.")
    values, codes = got
    wide = [[0.0, 2.0], [-1.0, 1.0], [0.0, -1.0]]
    expect_close(values, wide, "The values are whole numbers.", "Divide by h.", differs=True)
    expect_close(values, [[0, 1], [-1, 0.5], [0, -0.5]], hint="round(h tanh z) / h")
    expect(codes.dtype == torch.int64, "The codes are not int64.", ".long()")
    expect_close(codes, [9, 3, 6], "You counted the dimensions from the other end.",
                 "The first dimension counts ones.", differs=True)  # fmt: skip
    expect_close(codes, [13, 9, 4], hint="(r1 + h1) + L1 * (r2 + h2)")
    expect(values.requires_grad, "No gradient passes through the rounding.", "b + sg(r / h - b)")
    values.sum().backward()
    expect_close(z.grad, torch.ones(3, 2), "The gradient is that of z, not of tanh z.",
                 "Where tanh is flat little should pass.", differs=True)  # fmt: skip
    expect_close(z.grad, 1 - z.detach().tanh() ** 2, hint="The slope of tanh.")


def rotated(answer):
    z = torch.tensor([[2.0, 0.0], [0.0, 1.0]], requires_grad=True)  # [2, 2]
    e = torch.tensor([[0.0, 1.0], [0.0, 3.0]])  # [2, 2]
    values = answer(z, e)
    expect_close(values, [[0.0, 2.0], [0.0, 1.0]], "Turned, but as long as z.", "Scale by λ.",
                 differs=True)  # fmt: skip
    expect_close(values, e, "Forward, the values are not e.")
    expect(values.requires_grad, "No gradient reaches z.", "Only λ, r and the two hats are fixed.")
    (values * torch.tensor([[1.0, 0.0], [1.0, 0.0]])).sum().backward()
    expect_close(z.grad, [[1.0, 0.0], [1.0, 0.0]], "The gradient was pasted, not turned.",
                 "z + sg(e - z) is what this replaces.", differs=True)  # fmt: skip
    expect_close(z.grad, [[0.0, -0.5], [3.0, 0.0]], "The gradient is turned the wrong way or goes "
                 "through λ, r or the hats.", "Compute those under torch.no_grad().")  # fmt: skip


def gumbel(answer):
    logits = torch.tensor([[1.0, 0.0, 0.5]], requires_grad=True)  # [1, 3]
    u = torch.tensor([[0.1, 0.95, 0.5]])  # [1, 3]
    got = answer(logits, u, 0.5)
    expect_close(got.sum(), 1.0, "A row does not sum to one.")
    expect(
        float(got.detach().max()) > 0.999, "That is the softmax itself.", "Forward it is one-hot."
    )
    expect_close(got, [[1.0, 0.0, 0.0]], "The noise changes nothing, or too little.",
                 "-log(-log u), added to the logits.", differs=True)  # fmt: skip
    expect_close(got, [[0.0, 1.0, 0.0]])
    expect(got.requires_grad, "No gradient reaches the logits.", "soft + sg(hard - soft)")
    (got * torch.tensor([[1.0, 2.0, 4.0]])).sum().backward()
    soft = ((logits.detach() - (-u.log()).log()) / 0.5).softmax(1)  # [1, 3]
    slope = torch.tensor([[1.0, 2.0, 4.0]])
    wanted = soft * (slope - (soft * slope).sum()) / 0.5
    expect_close(logits.grad, wanted, "The gradient is not that of the softmax with noise.",
                 "Is the temperature in it?")  # fmt: skip


def prices(answer):
    codes = torch.tensor([[0, 1, 0, 1, 0], [2, 2, 2, 2, 2]])  # [2, 5]
    got = answer(codes, 4, 10.0)
    expect(isinstance(got, tuple) and len(got) == 3, "The answer should be three numbers.")
    fixed, entropy, conditional = (float(v) for v in got)
    expect(not any(map(math.isnan, (fixed, entropy, conditional))), "NaN: 0 log 0 counts as 0.")
    expect_close(fixed, 10 * math.log2(3), "Fixed words are for all entries of the table.",
                 "Also for those that nobody used.", differs=True)  # fmt: skip
    expect_close(fixed, 20.0, hint="per_second * log2(entries)")
    shares = (0.3, 0.2, 0.5)
    bits = -sum(p * math.log2(p) for p in shares)
    expect_close(entropy, 10 * bits * math.log(2), "You mixed bits and nats.", "log2",
                 differs=True)  # fmt: skip
    expect_close(entropy, 10 * bits, hint="-sum p log2 p over the codes of all clips.")
    expect_close(conditional, 15.0, "That is what pairs cost.", "Less what their first code costs.",
                 differs=True)  # fmt: skip
    expect_close(conditional, 0.0, "Here each code is known from the one before it.",
                 "Is the last code of a clip followed by the first of the next?")  # fmt: skip


def diagnosis(answer):
    got = answer()
    expect(isinstance(got, dict), "The answer should be a dict.", "fault and number")
    fault, number = got.get("fault"), got.get("number")
    expect(fault in FAULTS, f"The fault is one of {', '.join(FAULTS)}.")
    expect(type(number) is int, "The number is a whole number.", "int(...)")
    expect(0 <= number <= ALL_OF_IT[fault], f"A chain that is {fault} has no number {number}.")


def heard(answer):
    expect_record(answer)


def my_tune(answer):
    got = answer()
    expect(isinstance(got, dict), "The answer should be a dict.")
    names = ("tune", "log_mel", "codes", "error")
    expect(all(k in got for k in names), f"The answer needs {', '.join(names)}.")
    log_mel, codes = torch.as_tensor(got["log_mel"]), torch.as_tensor(got["codes"])
    expect(log_mel.ndim == 2 and len(log_mel) == 80, "The log-mel is not [80, F].", "Drop the 1.")
    expect(codes.shape == (math.ceil(log_mel.shape[1] / 4),), "The codes are not one for 4 frames.")
    expect(codes.dtype == torch.int64, "The codes are not int64.")
    expect(0 < float(got["error"]) < 20, "That is no mean squared error of a log-mel.")
