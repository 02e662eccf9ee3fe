"""Dashboards, recording rules and alerts as code; `python -m scripts.observability.made` writes what the chart "
"ships."""
