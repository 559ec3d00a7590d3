"""The app's router: navigation, the sidebar, and the page. Start it with `streamlit run app.py`."""

import streamlit as st

from bigan.ui import assets, saved_views, state

page = state.navigation()
with st.sidebar:
    state.checkpoint_picker()
    saved_views.show()
    assets.mount("one_entry", {}, key="one-entry")
    assets.mount("sidebar", {}, key="sidebar")
state.run(page)
