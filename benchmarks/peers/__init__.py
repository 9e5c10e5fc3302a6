"""The same binomial model in independent software, to compare results (tests/test_peers.py) and speed (engines.py).

`uv pip install -e '.[peers]'` brings Stan (pystan) and bambi; pystan's wheel may need a
`python -m benchmarks.peers.rebuild_httpstan` after that. `apt-get install r-cran-lme4` brings lme4. Each sampler takes
a `Design` and a `Sampling` and gives draws with the names and dims of the package's own.
"""
