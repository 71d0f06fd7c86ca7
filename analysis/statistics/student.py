"""Quantiles of Student's t, without a library of special functions."""

from statistics import NormalDist


def quantile(probability: float, freedom: float) -> float:
    """The quantile of Student's t with `freedom` degrees, from 2 on, to within a few parts in a thousand at 97.5%.

    Source: Hill, G. W. (1970), Algorithm 396: Student's t-quantiles, Communications of the ACM 13; here the series in the
    normal quantile (Abramowitz, Stegun 26.7.5).
    """
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom ** (power + 1) for power, term in enumerate(terms))
