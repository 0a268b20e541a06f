"""Checks with h5py the file of TestWriteReadByH5py, and that it can be changed. usage: read_written.py FILE"""
import sys

import h5py
import numpy as np

path = sys.argv[1]
for libver in ("earliest", "latest"):
    with h5py.File(path, "r", libver=libver) as f:
        assert f.attrs["version"] == "3.15.1"
        assert list(f.attrs["lists"]) == ["conv2d", "", "Größe 画像", "long " * 2000]
        assert f.attrs["numbers"].tolist() == [1, -2, 2**31 - 1] and f.attrs["numbers"].dtype == "<i8"
        assert f.attrs["no_numbers"].shape == (0,)
        assert sorted(f) == ["layers", "many", "none", "scalar"], sorted(f)
        v = f["layers/conv2d/vars"]
        assert v.attrs["name"] == "block1_conv1" and type(v.attrs["name"]) is str
        assert v["0"].dtype == "<f4" and v["0"].attrs["axis"] == -1
        np.testing.assert_array_equal(v["0"], np.array([[1, -2, 3], [np.inf, 2.0**-140, 6]], "f4"))
        assert v["1"].dtype == "<f2" and v["1"][:].tolist() == [1, 2, -3]
        assert f["scalar"].shape == () and f["scalar"][()] == np.float32(0.1)
        assert f["none"].shape == (4, 0) and f["none"][:].size == 0
        assert list(f["layers/flatten"]) == []
        assert len(f["many"]) == 300 and all(f["many"][str(i)][0] == i for i in range(300))
        assert v["0"].id.get_offset() % 64 == 0
with h5py.File(path, "r+") as f:  # libraries trust the file enough to write into it
    f["layers/flatten/new"] = np.arange(5)
    f["layers/conv2d/vars"].attrs["name"] = "another, longer than before"
    del f["scalar"]
with h5py.File(path, "r") as f:
    assert f["layers/flatten/new"][:].tolist() == [0, 1, 2, 3, 4]
    assert f["layers/conv2d/vars"].attrs["name"] == "another, longer than before"
    assert "scalar" not in f and f["many/7"][0] == 7
print("ok")
