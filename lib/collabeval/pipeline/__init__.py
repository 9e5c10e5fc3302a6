"""One evaluation as steps that run only when something they depend on has changed."""

from collabeval.pipeline.comparison import CompareRequest
from collabeval.pipeline.request import Request
from collabeval.pipeline.run import Run, plan_of

__all__ = ["CompareRequest", "Request", "Run", "plan_of"]
