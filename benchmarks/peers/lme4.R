# Maximum likelihood by lme4. Arguments: table of cells (CSV), where the results go (CSV), formula, quadrature points
# a site (1: Laplace), family. Results are rows of group, name, value.
suppressPackageStartupMessages(library(lme4))
arguments <- commandArgs(trailingOnly = TRUE)
cells <- read.csv(arguments[1], colClasses = c(site = "character"))
# from offsets far from nought glmer runs away to where every chance is 0: they are centred, and the intercept put back
middle <- mean(cells$known)
# the default optimiser and its tolerance leave the fourth digit open
control <- glmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.02, rhoend = 1e-8, maxfun = 1e5), tolPwrss = 1e-10)
fitted <- glmer(as.formula(arguments[3]), cells, family = arguments[5], offset = cells$known - middle,
                nAGQ = as.integer(arguments[4]), control = control)
spread <- as.data.frame(VarCorr(fitted))
effects <- ranef(fitted)$site
fixed <- fixef(fitted)
fixed["(Intercept)"] <- fixed["(Intercept)"] - middle
rows <- rbind(
  data.frame(group = "fixed", name = names(fixed), value = fixed),
  data.frame(group = "fixed_error", name = names(fixef(fitted)), value = sqrt(diag(as.matrix(vcov(fitted))))),
  data.frame(group = "spread", name = ifelse(is.na(spread$var2), spread$var1, "correlation"), value = spread$sdcor),
  data.frame(group = "level", name = rownames(effects), value = effects[["(Intercept)"]]),
  data.frame(group = "log_likelihood", name = "of all", value = as.numeric(logLik(fitted)))
)
write.csv(format(rows, digits = 12), arguments[2], row.names = FALSE, quote = TRUE)
