"""What a card shows for loading the weights without this library: code that a test runs against the checkpoint."""

SNIPPETS = {
    "Dense": """
from safetensors.torch import load_file
from torch import nn


class Dense(nn.Module):
    def __init__(self, hidden=512):
        super().__init__()
        self.hidden, self.output = nn.Linear(784, hidden), nn.Linear(hidden, 10)

    def forward(self, x):  # (N, 1, 28, 28) in [0, 1], white on black
        return self.output(self.hidden(x.flatten(1)).relu())


net = Dense()
net.load_state_dict(load_file("model.safetensors"))
net.eval()
""",
    "ResNet": """
from safetensors.torch import load_file
from torch import nn


class Block(nn.Module):
    def __init__(self, a, b, stride):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b)
        self.conv2, self.norm2 = nn.Conv2d(b, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b)
        new = [nn.Conv2d(a, b, 1, stride, bias=False), nn.BatchNorm2d(b)] if stride > 1 else []
        self.shortcut = nn.Sequential(*new)

    def forward(self, x):
        y = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu()))
        return (y + self.shortcut(x)).relu()


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU())
        self.stages = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 128, 2), Block(128, 128, 1))
        self.output = nn.Linear(128, 10)

    def forward(self, x):  # (N, 1, 28, 28) in [0, 1], white on black
        return self.output(self.stages(self.stem((x - 0.1307) / 0.3081)).mean((2, 3)))


net = ResNet()
net.load_state_dict(load_file("model.safetensors"))
net.eval()
""",
}
