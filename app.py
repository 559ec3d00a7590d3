"""The app's router: navigation and the checkpoint picker. Start it with `streamlit run app.py`."""

import streamlit as st

from bigan.ui import assets, state

page = state.navigation()
with st.sidebar:
    state.checkpoint_picker()
    assets.mount("one_entry", {}, key="one-entry")
state.run(page)
