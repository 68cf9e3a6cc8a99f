using Ferry.Cache.Remote.Settings;
using Ferry.Cluster.Rendering.Plan;

namespace Ferry.UnitTests.Cluster.Rendering;

/// <summary>The machine and container of one rendered process: it has that node's address, the mounts and the files that were rendered, and nothing else.</summary>
internal sealed class RenderedMachine(PlannedNode node, PlannedProcess process) : IMachine
{
    public long MemoryBytes => 2L << 40;

    public long? FreeDiskBytes(string path) => 4L << 40;

    public bool DirectoryExists(string path) => process.Mounts.Any(mount => mount.ContainerPath == path);

    public bool FileExists(string path) =>
        process.Files.Any(file => file.ContainerPath == path) || process.Mounts.Any(mount => mount.Name == "model" && path == mount.ContainerPath + "/config.json");

    public string? WhyNotLocal(string host) => host == node.Address || host is "127.0.0.1" or "0.0.0.0" ? null : $"{host} is no address of this machine (it has {node.Address})";
}
