// window.jPulse for plain scripts.
