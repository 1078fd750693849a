"""What is seen of runs: pictures and films, each as data first and then drawn."""

from __future__ import annotations

from fallline.views.animation import Film, animate
from fallline.views.basins import BasinMap, basin_map_data, plot_basins
from fallline.views.contour import Landscape, landscape_data, plot_contour, plot_contour_3d
from fallline.views.curve import Curve, Descent, curve_data, descent_data, plot_curve, plot_descent
from fallline.views.epochs import Epochs, epochs_data, plot_epochs
from fallline.views.files import check_film_path, check_picture_path, save_picture
from fallline.views.grid import NothingToDraw
from fallline.views.heat_map import HeatMap, heat_map_data, plot_heat_map
from fallline.views.histories import Histories, histories_data, plot_histories
from fallline.views.notebook import notebook
from fallline.views.picture import plot
from fallline.views.surface import plot_surface

__all__ = [
    "BasinMap",
    "Curve",
    "Descent",
    "Epochs",
    "Film",
    "HeatMap",
    "Histories",
    "Landscape",
    "NothingToDraw",
    "animate",
    "basin_map_data",
    "check_film_path",
    "check_picture_path",
    "curve_data",
    "descent_data",
    "epochs_data",
    "heat_map_data",
    "histories_data",
    "landscape_data",
    "notebook",
    "plot",
    "plot_basins",
    "plot_contour",
    "plot_contour_3d",
    "plot_curve",
    "plot_descent",
    "plot_epochs",
    "plot_heat_map",
    "plot_histories",
    "plot_surface",
    "save_picture",
]
