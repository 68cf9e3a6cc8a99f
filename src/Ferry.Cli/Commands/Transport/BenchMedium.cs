using Ferry.Transfer;
using Ferry.Transfer.Media;
using Ferry.Transfer.Probe;
using Ferry.Transfer.SharedMemory;
using Ferry.Transfer.Ucx;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Cli.Commands.Transport;

/// <summary>A medium that can be measured: how an agent is given it, and what it is measured against.</summary>
/// <param name="Medium">Starts it anew for each agent; null for TCP, which every agent has. Throws <see cref="TransferConfigurationException"/> where it cannot be had.</param>
/// <param name="Limit">What bounds it on one host.</param>
internal sealed record BenchMedium(string Name, Func<Task<DataMedium>>? Medium, ProbeMemory Memory, BenchLimit Limit, string Description)
{
    /// <summary>One line a medium.</summary>
    public static IReadOnlyList<BenchMedium> All { get; } =
    [
        new("tcp", null, ProbeMemory.Private, BenchLimit.RawSocket, "TCP, straight from and into registered memory"),
        new("shm", Shared, ProbeMemory.Private, BenchLimit.MemoryCopy, "shared memory: read out of the other process (process_vm_readv)"),
        new("shm-mapped", Shared, ProbeMemory.Shared, BenchLimit.MemoryCopy, "shared memory: a memfd that the reader maps"),
        new(UcxMedium.MediumName, static async () => await UcxMedium.StartAsync(new UcxOptions(), NullLogger.Instance), ProbeMemory.Private, UcxLimit, "UCX, with the UCX_TLS of the environment"),
    ];

    // Between two processes of one host UCX copies memory, unless it is left nothing but tcp.
    private static BenchLimit UcxLimit =>
        Environment.GetEnvironmentVariable("UCX_TLS")?.Split(',').All(name => name is "tcp" or "self") == true ? BenchLimit.RawSocket : BenchLimit.MemoryCopy;

    public static string Names => string.Join(", ", All.Select(one => one.Name));

    private static Task<DataMedium> Shared() => Task.FromResult<DataMedium>(new SharedMemoryMedium());
}
