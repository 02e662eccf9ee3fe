"""The bill of materials names each distribution once, with its version, licence and package URL."""

from pathlib import Path

from scripts.image.sbom import bill_of


def distribution(folder: Path, name: str, version: str, *lines: str) -> None:
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *lines]))


def test_lists_what_is_installed_in_order_and_the_product_apart(tmp_path: Path) -> None:
    distribution(tmp_path / "lib", "Zope_x", "2", "Classifier: License :: OSI Approved :: MIT License")
    distribution(tmp_path / "lib", "aio", "1.5", "License-Expression: Apache-2.0")
    distribution(tmp_path / "app", "pointsman", "0.1.0")
    bill = bill_of([str(tmp_path / "lib"), str(tmp_path / "app")])
    assert bill["metadata"]["component"]["name"] == "pointsman"
    assert bill["components"] == [
        {"type": "library", "bom-ref": "pkg:pypi/aio@1.5", "name": "aio", "version": "1.5",
         "purl": "pkg:pypi/aio@1.5", "licenses": [{"expression": "Apache-2.0"}]},
        {"type": "library", "bom-ref": "pkg:pypi/zope-x@2", "name": "zope-x", "version": "2",
         "purl": "pkg:pypi/zope-x@2", "licenses": [{"license": {"name": "MIT License"}}]},
    ]  # fmt: skip


def test_the_same_installation_gives_the_same_bill(tmp_path: Path) -> None:
    distribution(tmp_path, "aio", "1.5")
    assert bill_of([str(tmp_path)]) == bill_of([str(tmp_path)])
    assert bill_of([str(tmp_path)])["metadata"] == {}
