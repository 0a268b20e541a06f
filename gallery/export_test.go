package gallery

// BuildFitting is Build with another bound on what components are fitted to.
var BuildFitting = build
