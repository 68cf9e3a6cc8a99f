using Ferry.Cache.Remote.Settings;

namespace Ferry.UnitTests.Serving.Options;

/// <summary>A machine with 64 GiB, the address 10.0.0.2, and one model directory.</summary>
internal sealed class FakeMachine : IMachine
{
    public long MemoryBytes => 64L << 30;

    public long? FreeDiskBytes(string path) => 1L << 40;

    public bool DirectoryExists(string path) => path is "models/tiny" or "models/empty";

    public bool FileExists(string path) => path is "models/tiny/config.json" or "template.jinja" or "models.yaml";

    public string? WhyNotLocal(string host) =>
        host is "localhost" or "127.0.0.1" or "10.0.0.2" or "0.0.0.0" ? null : $"{host} is no address of this machine (it has 10.0.0.2)";
}
