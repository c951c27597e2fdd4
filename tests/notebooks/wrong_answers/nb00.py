"""Likely wrong answers to the exercises of notebook 00."""


def frame_count__without_the_first(samples, hop):
    return samples // hop


def frame_count__inside_only(samples, hop):
    return 1 + (samples - 1024) // hop


def frame_count__rounded_up(samples, hop):
    return -(-samples // hop)


def seconds_in_context__one_table(context, sample_rate, hop, codebooks):
    return context / (sample_rate / hop)


def seconds_in_context__upside_down(context, sample_rate, hop, codebooks):
    return sample_rate / hop * codebooks / context


def seconds_in_context__multiplied(context, sample_rate, hop, codebooks):
    return context / (sample_rate / hop) * codebooks


def add_noise__amplitudes(x, noise, snr):
    wanted = x.square().mean() / 10 ** (snr / 20)
    return x + noise * (wanted / noise.square().mean()).sqrt()


def add_noise__noise_of_power_one(x, noise, snr):
    return x + noise * (x.square().mean() / 10 ** (snr / 10)).sqrt()


def add_noise__without_the_root(x, noise, snr):
    return x + noise * (x.square().mean() / 10 ** (snr / 10) / noise.square().mean())


def kl_divergence__turned_round(p, q):
    return (q * (q / p).log()).sum()


def kl_divergence__bits(p, q):
    return (p * (p / q).log2()).sum()


def kl_divergence__terms(p, q):
    return p * (p / q).log()
