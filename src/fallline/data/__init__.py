"""Reading data: from files, data frames and arrays to the inputs and targets of a model."""

from __future__ import annotations

from fallline.data.classes import Classes
from fallline.data.dataset import Dataset, Split
from fallline.data.entries import number_array
from fallline.data.preparation import Feature, Preparation
from fallline.data.source import Source, open_source, read_table
from fallline.data.standardization import Standardization
from fallline.data.survey import Survey, survey
from fallline.data.table import Table, TableLike

__all__ = [
    "Classes",
    "Dataset",
    "Feature",
    "Preparation",
    "Source",
    "Split",
    "Standardization",
    "Survey",
    "Table",
    "TableLike",
    "number_array",
    "open_source",
    "read_table",
    "survey",
]
