"""The app's router: navigation and the checkpoint picker. Start it with `streamlit run app.py`."""

import streamlit as st

from bigan.ui import state

page = state.navigation()
with st.sidebar:
    state.checkpoint_picker()
state.run(page)
