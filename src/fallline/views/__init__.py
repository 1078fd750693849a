"""Pictures and films of runs: the functions that draw, and the data of each picture."""

from __future__ import annotations

from fallline.pictures.arrows import Arrows, arrows_data
from fallline.pictures.basin_map import BasinMap, basin_map_data
from fallline.pictures.chain import ChainEdge, ChainGraph, ChainNode, chain_data
from fallline.pictures.curve import Curve, Descent, curve_data, descent_data
from fallline.pictures.epochs import Epochs, epochs_data
from fallline.pictures.grid import NothingToDraw
from fallline.pictures.heat_map import HeatMap, heat_map_data
from fallline.pictures.histories import Histories, histories_data
from fallline.pictures.landscape import Landscape, landscape_data
from fallline.pictures.tuning import TuningCurve, tuning_data
from fallline.views.animation import Film, animate, check_film
from fallline.views.arrows import plot_arrows
from fallline.views.basin_map import plot_basins
from fallline.views.chain import plot_chain
from fallline.views.contour import plot_contour, plot_contour_3d
from fallline.views.curve import plot_curve, plot_descent
from fallline.views.epochs import plot_epochs
from fallline.views.fitted import plot_fitted
from fallline.views.heat_map import plot_heat_map
from fallline.views.histories import plot_histories, plot_steps
from fallline.views.learning import plot_learning_curve
from fallline.views.look import Look, check_style
from fallline.views.notebook import notebook
from fallline.views.picture import plot, plot_runs
from fallline.views.picture_files import check_film_path, check_picture_path, save_picture
from fallline.views.scores import plot_classified, plot_confusion, plot_residuals, plot_roc
from fallline.views.surface import plot_surface
from fallline.views.tuning import plot_tuning

__all__ = [
    "Arrows",
    "BasinMap",
    "ChainEdge",
    "ChainGraph",
    "ChainNode",
    "Curve",
    "Descent",
    "Epochs",
    "Film",
    "HeatMap",
    "Histories",
    "Landscape",
    "Look",
    "NothingToDraw",
    "TuningCurve",
    "animate",
    "arrows_data",
    "basin_map_data",
    "chain_data",
    "check_film",
    "check_film_path",
    "check_picture_path",
    "check_style",
    "curve_data",
    "descent_data",
    "epochs_data",
    "heat_map_data",
    "histories_data",
    "landscape_data",
    "notebook",
    "plot",
    "plot_arrows",
    "plot_basins",
    "plot_chain",
    "plot_classified",
    "plot_confusion",
    "plot_contour",
    "plot_contour_3d",
    "plot_curve",
    "plot_descent",
    "plot_epochs",
    "plot_fitted",
    "plot_heat_map",
    "plot_histories",
    "plot_learning_curve",
    "plot_residuals",
    "plot_roc",
    "plot_runs",
    "plot_steps",
    "plot_surface",
    "plot_tuning",
    "save_picture",
    "tuning_data",
]
