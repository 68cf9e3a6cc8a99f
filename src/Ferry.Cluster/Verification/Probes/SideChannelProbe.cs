using System.Net.Sockets;
using System.Text;
using Ferry.Cluster.Spec;
using Ferry.Cluster.Verification.SideChannels;

namespace Ferry.Cluster.Verification.Probes;

/// <summary>Every engine's side channel answers a handshake at the address that peers are told, and the two sides fit.</summary>
internal sealed class SideChannelProbe : IProbe
{
    private const string PortName = "side-channel";
    private const string SecretVariable = "FERRY_SHARED_SECRET";

    public string Id => "side-channel";

    public string Title => "the hand-over's side channel answers, and the sides fit";

    public TimeSpan Timeout => TimeSpan.FromSeconds(15);

    public IEnumerable<ProbeTask> Tasks(VerifyCluster cluster)
    {
        var engines = cluster.Engines.Where(engine => engine.PortOf(PortName) is not null).ToList();
        foreach (var engine in engines)
        {
            yield return new ProbeTask(engine.Name, token => engine.Planned.IsFerry ? FerryAsync(cluster, engine, token) : NixlAsync(cluster, engine, token));
        }
        var nixl = engines.Where(engine => !engine.Planned.IsFerry).ToList();
        foreach (var prefill in nixl.Where(engine => engine.Pool!.Role == PoolRole.Prefill))
        {
            foreach (var decode in nixl.Where(engine => engine.Pool!.Role == PoolRole.Decode))
            {
                yield return new ProbeTask($"{prefill.Name} → {decode.Name}", token => PairAsync(cluster, prefill, decode, token));
            }
        }
    }

    private static async Task<ProbeAnswer> FerryAsync(VerifyCluster cluster, VerifyTarget engine, CancellationToken cancellationToken)
    {
        var (host, port) = (engine.Address, engine.PortOf(PortName)!.Value);
        var secret = engine.Planned.Secrets.FirstOrDefault(one => one.Variable == SecretVariable);
        var value = SecretReader.TryRead(secret, cluster.Options.Variables);
        try
        {
            var reply = await FerryOpening.AskAsync(host, port, secret is not null, value is null ? null : Encoding.UTF8.GetBytes(value), cancellationToken);
            return reply switch
            {
                { Problem.Length: > 0 } => ProbeAnswer.Violation($"{host}:{port}: {reply.Problem}.", "Give every node the same shared secret, or none on loopback."),
                { IsProven: false } => ProbeAnswer.Violation($"{host}:{port} has another shared secret than the one at {SecretReader.Place(secret!)}.", "Give every node the same one."),
                { IsProven: true } => ProbeAnswer.Pass($"{host}:{port} answers the opening and knows the shared secret"),
                _ when secret is not null => ProbeAnswer.Pass($"{host}:{port} answers the opening and has a shared secret; which one was not compared: it cannot be read here ({SecretReader.Place(secret)})"),
                _ => ProbeAnswer.Pass($"{host}:{port} answers the opening; there is no shared secret (loopback)"),
            };
        }
        catch (SocketException exception)
        {
            return Silent(host, port, exception.Message, engine);
        }
    }

    private static async Task<ProbeAnswer> NixlAsync(VerifyCluster cluster, VerifyTarget engine, CancellationToken cancellationToken)
    {
        var (host, port) = (engine.Address, engine.PortOf(PortName)!.Value);
        var (reply, answer) = await AskNixlAsync(cluster, engine, cancellationToken);
        return answer ?? (reply!.Problem.Length > 0
            ? ProbeAnswer.Violation($"{host}:{port}: {reply.Problem}.")
            : ProbeAnswer.Pass($"{host}:{port} is engine {reply.EngineId}: {reply.BlockCount} blocks of {reply.BlockTokens} tokens, {reply.Regions} regions, {reply.Layout}, {reply.AttentionBackend}, hash {NixlHandshake.ShortHash(reply.CompatibilityHash)}"));
    }

    private static async Task<ProbeAnswer> PairAsync(VerifyCluster cluster, VerifyTarget prefill, VerifyTarget decode, CancellationToken cancellationToken)
    {
        var (first, firstProblem) = await AskNixlAsync(cluster, prefill, cancellationToken);
        var (second, secondProblem) = await AskNixlAsync(cluster, decode, cancellationToken);
        if (first is null || second is null || first.Problem.Length > 0 || second.Problem.Length > 0)
        {
            return ProbeAnswer.Inconclusive($"one of the two does not answer: {(firstProblem ?? secondProblem)?.Text ?? first?.Problem + second?.Problem}");
        }
        var wrong = new List<string>();
        if (first.EngineId == second.EngineId)
        {
            wrong.Add($"both addresses lead to engine {first.EngineId}: one of them is not its own");
        }
        if (first.CompatibilityHash != second.CompatibilityHash && cluster.Spec.Handover.EnforceCompatibility)
        {
            wrong.Add($"the compatibility hashes differ ({NixlHandshake.ShortHash(first.CompatibilityHash)}, {NixlHandshake.ShortHash(second.CompatibilityHash)}; attention backends {first.AttentionBackend}, {second.AttentionBackend})");
        }
        if (first.Regions != second.Regions)
        {
            wrong.Add($"{first.Regions} KV regions on one side, {second.Regions} on the other: K and V lie apart on one of them");
        }
        if (first.BlockTokens != second.BlockTokens && cluster.Spec.Handover.BufferDevice == BufferDevice.Cpu)
        {
            wrong.Add($"blocks of {first.BlockTokens} and {second.BlockTokens} tokens, which host buffers do not allow");
        }
        if (first.Layout != second.Layout)
        {
            wrong.Add($"layouts {first.Layout} and {second.Layout}");
        }
        return ProbeAnswer.Of(wrong, $"same hash, {first.Regions} regions, blocks of {first.BlockTokens}, {first.Layout}", "Make version, model string, dtype, attention backend and --block-size equal, or hand over through Ferry's exchange, which converts.");
    }

    private static async Task<(NixlReply? Reply, ProbeAnswer? Answer)> AskNixlAsync(VerifyCluster cluster, VerifyTarget engine, CancellationToken cancellationToken)
    {
        var (host, port) = (engine.Address, engine.PortOf(PortName)!.Value);
        var version = engine.Pool!.Engine.Version;
        if (await VersionProbe.AskAsync(cluster, engine, cancellationToken) is { Version: { } said })
        {
            version = said;
        }
        if (version is null || NixlHandshake.QuestionFor(version) is not { } question)
        {
            return (null, ProbeAnswer.Inconclusive($"the form of the handshake depends on vLLM's version, and {(version is null ? "it is not known" : $"'{version}' does not tell it")}; a wrong question would end the engine's listener, so none was asked.", "Give engine.version of the pool."));
        }
        try
        {
            // ZMQ connects again and again without a word; a plain connection says at once whether anybody listens.
            using (var socket = new Socket(SocketType.Stream, ProtocolType.Tcp))
            {
                await socket.ConnectAsync(host, port, cancellationToken);
            }
            return (await NixlHandshake.AskAsync(host, port, question, cancellationToken), null);
        }
        catch (SocketException exception)
        {
            return (null, Silent(host, port, exception.Message, engine));
        }
        catch (OperationCanceledException)
        {
            return (null, ProbeAnswer.Violation($"{host}:{port} is open, but answers no handshake: its listener has died, or another program has the port.", "Restart the engine."));
        }
    }

    private static ProbeAnswer Silent(string host, int port, string message, VerifyTarget engine) =>
        ProbeAnswer.Violation($"{host}:{port}: {message}.", $"Start {engine.Name}, with VLLM_NIXL_SIDE_CHANNEL_HOST={engine.Address} and VLLM_NIXL_SIDE_CHANNEL_PORT={port}, and let the port through.");
}
