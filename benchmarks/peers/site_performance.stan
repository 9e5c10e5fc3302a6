// The binomial model of site performance (docs/methods.md) as a textbook writes it: every effect non-centred.
// Terms that a design has not are of size nought. Standard deviations of the priors come with the data.
data {
  int<lower=1> N;  // cells: site-periods
  int<lower=1> J;  // sites
  int<lower=1> T;  // periods
  array[N] int<lower=1, upper=J> site;
  array[N] int<lower=1, upper=T> period;
  array[N] int<lower=0> numerator;
  array[N] int<lower=0> denominator;
  vector[N] known;  // logit(expected / denominator), or 0
  vector[N] years;  // from the mean time of the cells
  vector[T] time;  // years
  int<lower=0, upper=1> has_line;
  int<lower=0, upper=1> has_walk;
  int<lower=0, upper=1> has_slopes;
  int<lower=0, upper=1> has_cells;
  real intercept_mean;
  real<lower=0> intercept_scale;
  real<lower=0> site_scale;
  real<lower=0> trajectory_scale;
  real<lower=0> cell_scale;
  real<lower=0> walk_scale;
  real<lower=0> line_scale;
}
parameters {
  real intercept;
  real<lower=0> site_sd;
  vector[J] level_raw;
  vector<lower=0>[has_slopes] trajectory_sd;
  vector<lower=0, upper=1>[has_slopes] half;
  vector[has_slopes * J] slope_raw;
  vector[has_line] trend_slope;
  vector<lower=0>[has_walk] trend_sd;
  vector[has_walk * (T - 1)] walk_raw;
  vector<lower=0>[has_cells] overdispersion_sd;
  vector[has_cells * N] cell_raw;
}
transformed parameters {
  vector[T] trend = rep_vector(0, T);
  vector[J] site_level = site_sd * level_raw;
  vector[has_slopes * J] site_slope;
  vector[has_slopes] site_correlation = 2 * half - 1;
  if (has_line) trend = trend_slope[1] * (time - mean(time));
  if (has_walk) {
    trend[2:T] = cumulative_sum(trend_sd[1] * sqrt(time[2:T] - time[1:(T - 1)]) .* walk_raw);
    trend = trend - mean(trend);
  }
  if (has_slopes)
    site_slope = trajectory_sd[1] * (site_correlation[1] * level_raw + sqrt(1 - square(site_correlation[1])) * slope_raw);
}
model {
  vector[N] eta = known + intercept + trend[period] + site_level[site];
  if (has_slopes) eta += site_slope[site] .* years;
  if (has_cells) eta += overdispersion_sd[1] * cell_raw;
  intercept ~ normal(intercept_mean, intercept_scale);
  site_sd ~ normal(0, site_scale);
  trajectory_sd ~ normal(0, trajectory_scale);
  half ~ beta(2, 2);
  trend_slope ~ normal(0, line_scale);
  trend_sd ~ normal(0, walk_scale);
  overdispersion_sd ~ normal(0, cell_scale);
  level_raw ~ std_normal();
  slope_raw ~ std_normal();
  walk_raw ~ std_normal();
  cell_raw ~ std_normal();
  numerator ~ binomial_logit(denominator, eta);
}
