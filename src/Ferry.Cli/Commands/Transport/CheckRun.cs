using System.Globalization;
using Ferry.Kv.Text;
using Ferry.Transfer;
using Ferry.Transfer.Probe;
using Ferry.Transfer.SharedMemory;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Tcp;

namespace Ferry.Cli.Commands.Transport;

/// <summary>Looks at the way to a peer as a hand-over would go it: reach, side channel, KV, medium, bytes, rate.</summary>
internal sealed class CheckRun(CheckQuestion question)
{
    /// <summary>The peer cannot be reached: nothing is known about it.</summary>
    public const int NotReached = 3;

    private const int NotificationCount = 200;
    private const long ProbeBytes = 16 << 20;
    private const int TransferBytes = 4 << 20;
    private const int Depth = 4;

    private readonly List<CheckStep> _steps = [];

    public IReadOnlyList<CheckStep> Steps => _steps;

    /// <returns>0 all is well, 1 something is wrong, 3 the peer could not be reached.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await using var agent = await TcpTransferAgent.StartAsync(
            new TcpAgentOptions
            {
                EngineId = $"ferry-transport-{Environment.ProcessId}",
                Host = "127.0.0.1",
                Port = 0,
                SharedSecret = question.Credentials.Secret,
                Tls = question.Credentials.Tls,
                Media = [new SharedMemoryMedium()],
                ProbeBytes = 0,
            },
            cancellationToken);
        var (peer, outcome) = await agent.ConnectAsync(question.Peer, cancellationToken);
        if (peer is null)
        {
            _steps.Add(Unreached(outcome));
            return outcome.Error is TransferError.Unreachable or TransferError.TimedOut ? NotReached : FerryCommandLine.Failed;
        }
        await using var owned = peer;
        _steps.Add(CheckStep.Passed("reach", $"{question.Peer} answers"));
        await LookAtSideChannelAsync(peer, cancellationToken);
        if (question.Other is { } other)
        {
            await CompareAsync(agent, peer.Remote, other, cancellationToken);
        }
        _steps.Add(CheckStep.Passed("medium", peer.Medium.ToString()));
        await LookAtBytesAsync(agent, peer, cancellationToken);
        return _steps.Exists(step => step.Result == CheckStep.Failed) ? FerryCommandLine.Failed
            : _steps.Exists(step => step.Name == "reach of the other" && step.Result == CheckStep.Skipped) ? NotReached
            : FerryCommandLine.Done;
    }

    private static CheckStep Unreached(TransferOutcome outcome) => outcome.Error switch
    {
        TransferError.Unreachable => new("reach", CheckStep.Failed, outcome.Message,
            "Is the node up, and does it listen there? VLLM_NIXL_SIDE_CHANNEL_HOST on the peer must be its own address that this host can reach, not localhost; VLLM_NIXL_SIDE_CHANNEL_PORT its port."),
        TransferError.TimedOut => new("reach", CheckStep.Failed, outcome.Message, "Packets vanish: look at firewalls and security groups between the hosts, and at the port."),
        TransferError.AuthenticationFailed => new("secret", CheckStep.Failed, outcome.Message, $"Give this command the nodes' secret in {NodeCredentials.SecretVariable}."),
        TransferError.VersionMismatch => new("version", CheckStep.Failed, outcome.Message, "Run one release of Ferry on all nodes."),
        TransferError.ProtocolViolation => new("side channel", CheckStep.Failed, outcome.Message,
            "Something else listens there: vLLM's own NIXL side channel speaks ZMQ, an HTTP port HTTP. Give the side channel of a Ferry node."),
        _ => new("side channel", CheckStep.Failed, outcome.ToString(), "The peer's log says more."),
    };

    private async Task LookAtSideChannelAsync(ITransferPeer peer, CancellationToken cancellationToken)
    {
        var remote = peer.Remote;
        var kv = remote.Kv.RankLayouts.Count == 0
            ? "holds no KV"
            : $"model {remote.Kv.Model:x32}, chunks of {remote.Kv.ChunkTokens} tokens, keys by {remote.Kv.KeyAlgorithm}, {remote.Kv.RankLayouts.Count} ranks, rank 0: {remote.Kv.RankLayouts[0]}";
        _steps.Add(CheckStep.Passed("identity", $"{remote.Identity}; offers {string.Join(", ", remote.Media.Select(one => one.Medium))}"));
        _steps.Add(CheckStep.Passed("kv", kv));
        var (trips, failure) = await new NotificationProbe(peer, TimeProvider.System).RunAsync(NotificationCount, cancellationToken);
        _steps.Add(failure is null
            ? CheckStep.Passed("side channel", string.Create(CultureInfo.InvariantCulture, $"round trip p50 {trips[trips.Count / 2].TotalMicroseconds:0} µs, p99 {trips[trips.Count * 99 / 100].TotalMicroseconds:0} µs"))
            : new CheckStep("side channel", CheckStep.Failed, failure.Value.ToString(), "The peer's log says more."));
    }

    private async Task CompareAsync(TcpTransferAgent agent, PeerMetadata first, string other, CancellationToken cancellationToken)
    {
        var (peer, outcome) = await agent.ConnectAsync(other, cancellationToken);
        if (peer is null)
        {
            _steps.Add(new CheckStep("reach of the other", outcome.Error is TransferError.Unreachable or TransferError.TimedOut ? CheckStep.Skipped : CheckStep.Failed,
                outcome.ToString(), "Without it nothing can be compared."));
            return;
        }
        await using var owned = peer;
        _steps.AddRange(KvComparison.Compare(first, peer.Remote));
    }

    private async Task LookAtBytesAsync(TcpTransferAgent agent, ITransferPeer peer, CancellationToken cancellationToken)
    {
        var (probe, refusal) = await TransferProbe.OpenAsync(agent, peer, ProbeBytes, ProbeMemory.Private, TimeProvider.System, cancellationToken);
        if (probe is null)
        {
            _steps.Add(new CheckStep("bytes", CheckStep.Failed, refusal.ToString(), "If somebody else measures, try again; a node with ProbeBytes 0 lends no memory to measure with."));
            return;
        }
        await using var open = probe;
        var verified = await probe.VerifyAsync(seed: 1, cancellationToken);
        _steps.Add(verified.IsSuccess
            ? CheckStep.Passed("bytes", $"{ByteSize.Format(verified.Bytes)} written, read back, and the same")
            : new CheckStep("bytes", CheckStep.Failed, verified.ToString(), "Bytes do not survive the way there and back: do not hand KV over on it."));
        foreach (var direction in new[] { TransferDirection.Read, TransferDirection.Write })
        {
            var sample = await probe.RunAsync(new ProbeCell(direction, Math.Min(TransferBytes, probe.Bytes), Depth, question.Duration), null, cancellationToken);
            _steps.Add(Judge(direction, sample));
        }
    }

    private CheckStep Judge(TransferDirection direction, ProbeSample sample)
    {
        var name = $"{direction.ToString().ToLowerInvariant()} rate";
        if (sample.Failure is { } failure)
        {
            return new CheckStep(name, CheckStep.Failed, failure.ToString(), "The peer's log says more.");
        }
        var found = string.Create(CultureInfo.InvariantCulture, $"{sample.GigabytesPerSecond:0.00} GB/s, p99 {sample.Latency(0.99).TotalMilliseconds:0.0} ms for {ByteSize.Format(TransferBytes)}");
        return sample.GigabytesPerSecond >= question.FloorGigabytesPerSecond
            ? CheckStep.Passed(name, found)
            : new CheckStep(name, CheckStep.Failed, string.Create(CultureInfo.InvariantCulture, $"{found}; the floor is {question.FloorGigabytesPerSecond:0.###} GB/s"),
                "Look at the link's own rate (iperf3), the MTU, loss (ss -ti), and 'ferry transport info' on both hosts.");
    }
}
