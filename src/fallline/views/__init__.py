"""What is seen of runs: pictures and films, each as data first and then drawn."""

from __future__ import annotations

from fallline.views.animation import Film, animate, check_film
from fallline.views.appearance import check_style
from fallline.views.arrows import Arrows, arrows_data, plot_arrows
from fallline.views.basins import BasinMap, basin_map_data, plot_basins
from fallline.views.chain import ChainEdge, ChainGraph, ChainNode, chain_data, plot_chain
from fallline.views.contour import Landscape, landscape_data, plot_contour, plot_contour_3d
from fallline.views.curve import Curve, Descent, curve_data, descent_data, plot_curve, plot_descent
from fallline.views.epochs import Epochs, epochs_data, plot_epochs
from fallline.views.files import check_film_path, check_picture_path, save_picture
from fallline.views.grid import NothingToDraw
from fallline.views.heat_map import HeatMap, heat_map_data, plot_heat_map
from fallline.views.histories import Histories, histories_data, plot_histories, plot_steps
from fallline.views.learning import plot_learning_curve
from fallline.views.notebook import notebook
from fallline.views.picture import check_kind, plot
from fallline.views.surface import plot_surface

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
    "NothingToDraw",
    "animate",
    "arrows_data",
    "basin_map_data",
    "chain_data",
    "check_film",
    "check_film_path",
    "check_kind",
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
    "plot_contour",
    "plot_contour_3d",
    "plot_curve",
    "plot_descent",
    "plot_epochs",
    "plot_heat_map",
    "plot_histories",
    "plot_learning_curve",
    "plot_steps",
    "plot_surface",
    "save_picture",
]
