"""For those that read digits."""

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
    "MLP": """
from safetensors.torch import load_file
from torch import nn


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())
        self.output = nn.Linear(128, 10)

    def forward(self, x):  # (N, 1, 28, 28) in [0, 1], white on black
        return self.output(self.hidden(x.flatten(1)))


net = MLP()
net.load_state_dict(load_file("model.safetensors"))
net.eval()
""",
    "CNN": """
from safetensors.torch import load_file
from torch import nn


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        )
        self.hidden, self.output = nn.Linear(3136, 128), nn.Linear(128, 10)

    def forward(self, x):  # (N, 1, 28, 28) in [0, 1], white on black
        return self.output(self.hidden(self.features(x).flatten(1)).relu())  # in training: dropout 0.5 before output


net = CNN()
net.load_state_dict(load_file("model.safetensors"))
net.eval()
""",
    "WideCNN": """
from safetensors.torch import load_file
from torch import nn


class WideCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.hidden, self.output = nn.Linear(9216, 128), nn.Linear(128, 10)

    def forward(self, x):  # (N, 1, 28, 28) in [0, 1], white on black
        return self.output(self.hidden(self.features(2 * x - 1).flatten(1)).relu())


net = WideCNN()
net.load_state_dict(load_file("model.safetensors"))
net.eval()
""",
    "Recurrent": """
import json

from safetensors.torch import load_file
from torch import nn


class Recurrent(nn.Module):
    def __init__(self, cell, hidden, bidirectional):
        super().__init__()
        layer = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell]
        self.cell = layer(28, hidden, batch_first=True, bidirectional=bidirectional)
        self.output = nn.Linear(hidden * (1 + bidirectional), 10)

    def forward(self, x):  # (N, 1, 28, 28) in [0, 1], white on black; read row by row
        last = self.cell(x[:, 0])[1]
        last = last[0] if isinstance(last, tuple) else last
        return self.output(last.transpose(0, 1).flatten(1))


net = Recurrent(**json.load(open("config.json"))["kwargs"])
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
