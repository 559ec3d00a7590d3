"""The app's router: page settings, navigation and the checkpoint picker. Start it with `streamlit run app.py`."""

import streamlit as st

from bigan.ui import state, theme

st.set_page_config("BiGAN Explorer", page_icon=theme.page_icon(), layout="wide")
st.html(theme.style_sheet())
page = state.navigation()
with st.sidebar:
    state.checkpoint_picker()
page.run()
