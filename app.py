"""The app's router: page settings, navigation and the checkpoint picker. Start it with `streamlit run app.py`."""

import streamlit as st

from bigan.ui import state, theme

st.set_page_config("BiGAN Explorer", page_icon=theme.page_icon(), layout="wide")
st.html(theme.style_sheet())
page = st.navigation(
    [st.Page(p.path, title=p.title, url_path=p.url, icon=p.icon, default=p is state.HOME) for p in state.PAGES]
)
with st.sidebar:
    state.checkpoint_picker()
page.run()
