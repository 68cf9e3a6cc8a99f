using System.Text.Json.Nodes;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;
using Ferry.Kv.Records;
using Ferry.Serving.Exchange;
using Ferry.Serving.Options;
using Ferry.TestKit.Exchange;
using Ferry.Transfer;
using Ferry.Transfer.InProcess;
using Ferry.Transfer.SideChannel;

namespace Ferry.UnitTests.Serving.Exchange;

/// <summary>Nodes that push and take pushes, and bare agents that speak to them as a prefill node would.</summary>
public abstract class KvExchangePushScene : KvExchangeScene
{
    private readonly PromptChain _chain = new(ChunkHasher.Create("sha256_cbor"), 256, ExchangeNode.Model, "");

    protected Task<ExchangeNode> PushingAsync(
        string name, Func<KvExchangeOptions, KvExchangeOptions>? configure = null, HandoverMode mode = HandoverMode.Push, string? device = null) =>
        StartAsync(name, device is null ? null : Ferry.Engine.DeviceProfile.All.Single(one => one.Name == device),
            configure: options => (configure?.Invoke(options) ?? options) with { Handover = mode });

    protected static JsonObject PushTo(string host)
    {
        var wish = ExchangeNode.AskToLend();
        wish["ferry"] = new JsonObject { ["decode"] = new JsonObject { ["engine_id"] = $"engine-{host}", ["host"] = host, ["port"] = 5600 } };
        return wish;
    }

    protected KvKey KeyOf(int chunk) => _chain.KeyOf(Prompt, chunk * 256, Math.Min(256, PromptTokens - (chunk * 256)));

    protected PrepareRequest Request(string requestId, params int[] chunks) =>
        new(requestId, "", ExchangeNode.Model, [.. chunks.Select(chunk => new PreparedPiece(KeyOf(chunk).Hash, 0, KvRecord.HeaderBytes + 4096))]);

    protected Task UntilPushedAsync(ExchangeNode decode, int chunks) => PumpUntilAsync(() =>
        Enumerable.Range(0, chunks).All(chunk => decode.Exchange.Cache.Memory.Contains(KeyOf(chunk))) && decode.Exchange.Cache.Memory.Snapshot().Leases >= chunks);

    /// <summary>A bare agent that speaks to the node as a prefill node's would.</summary>
    protected async Task<Writer> WriterAsync(string name, ExchangeNode node)
    {
        var agent = InProcessTransferAgent.Start(
            Network, $"{name}-writer:5600", new TransferAgentOptions { EngineId = $"engine-{name}", Kv = node.Exchange.Describe(), Clock = Time });
        return new Writer(agent, (await agent.ConnectAsync("d:5600", CancellationToken.None)).Peer!);
    }

    protected sealed record Writer(InProcessTransferAgent Agent, ITransferPeer Peer) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Peer.DisposeAsync();
            await Agent.DisposeAsync();
        }
    }
}
