using System.Text.Json.Nodes;
using Ferry.Cli.Up;
using Ferry.Cluster.Verification;
using Ferry.Cluster.Verification.SideChannels;
using Ferry.TestKit;
using NetMQ;
using NetMQ.Sockets;

namespace Ferry.IntegrationTests.Verification;

/// <summary>The probe of NIXL's side channel against ZMQ listeners that answer with bytes which vLLM made.</summary>
public sealed class NixlVerifyTests
{
    private static readonly JsonNode Vectors = JsonNode.Parse(File.ReadAllText(RepositoryRoot.At("tests", "data", "nixl", "handshake.json")))!;

    private static byte[] Payload => Convert.FromHexString((string)Vectors["handshake_payload"]![0]!["msgpack_hex"]!);

    [Fact]
    public async Task Handshake_OfTwoListeners_AsksInTheVersionsFormAndComparesTheSides()
    {
        var port = LoopbackPorts.FindFree();
        using var prefill = new Listener("127.0.0.1", port, Payload);
        using var decode = new Listener("127.0.0.2", port, Payload);
        var results = await VerifyAsync(port, "0.27.0");

        Assert.Equal(ProbeVerdict.Pass, results["prefill-0"].Verdict);
        Assert.Equal(ProbeVerdict.Pass, results["decode-0"].Verdict);
        // Both answer with the recorded engine: as if one address led to the other's engine.
        var pair = results["prefill-0 → decode-0"];
        Assert.Equal(ProbeVerdict.Violation, pair.Verdict);
        Assert.Contains("both addresses lead to engine", pair.Text, StringComparison.Ordinal);
        Assert.All(prefill.Questions.Concat(decode.Questions), question => Assert.Equal(NixlHandshake.QuestionFor("0.27.0"), question));
        Assert.Equal(2, prefill.Questions.Count);
    }

    [Fact]
    public async Task Handshake_OfAnUnknownVersion_IsNotAsked()
    {
        var port = LoopbackPorts.FindFree();
        using var prefill = new Listener("127.0.0.1", port, Payload);
        var results = await VerifyAsync(port, "0.28.1rc1.dev580");
        Assert.Equal(ProbeVerdict.Inconclusive, results["prefill-0"].Verdict);
        Assert.Contains("none was asked", results["prefill-0"].Text, StringComparison.Ordinal);
        Assert.Empty(prefill.Questions);
    }

    [Fact]
    public async Task Handshake_OfListenersThatDied_IsAViolation()
    {
        var port = LoopbackPorts.FindFree();
        using var mute = new Listener("127.0.0.1", port, null);
        var results = await VerifyAsync(port, "0.27.0");
        Assert.Equal(ProbeVerdict.Violation, results["prefill-0"].Verdict);
        Assert.Contains("answers no handshake", results["prefill-0"].Text, StringComparison.Ordinal);
        Assert.Equal(ProbeVerdict.Violation, results["decode-0"].Verdict);
        Assert.Contains("refused", results["decode-0"].Text, StringComparison.Ordinal);
        Assert.Equal(ProbeVerdict.Inconclusive, results["prefill-0 → decode-0"].Verdict);
    }

    private static async Task<Dictionary<string, ProbeResult>> VerifyAsync(int port, string version)
    {
        var spec = LiveCluster.Read($$"""
            name: nixl
            model: { id: meta-llama/Llama-3.1-70B-Instruct }
            pools:
              - { name: prefill, role: prefill, accelerator: mi300x, engine: { kind: vllm, version: {{version}} }, port: 1, nodes: [{ name: prefill-0, address: 127.0.0.1 }] }
              - { name: decode, role: decode, accelerator: mi300x, engine: { kind: vllm, version: {{version}} }, port: 2, nodes: [{ name: decode-0, address: 127.0.0.2 }] }
            handover: { kind: nixl, sideChannelPort: {{port}} }
            transport: { kind: tcp }
            router: { address: 127.0.0.1 }
            """);
        var report = await Verifier.RunAsync(spec, new VerifyOptions { Access = VerifyAccess.Http, Only = ["side-channel"] }, TimeProvider.System, null, TestContext.Current.CancellationToken);
        return report.Results.ToDictionary(result => result.Target);
    }

    /// <summary>A ROUTER socket, as vLLM's listener has.</summary>
    private sealed class Listener : IDisposable
    {
        private readonly RouterSocket _socket = new();
        private readonly NetMQPoller _poller = [];

        /// <param name="answer">Null: takes questions and says nothing.</param>
        public Listener(string host, int port, byte[]? answer)
        {
            _socket.Options.Linger = TimeSpan.Zero;
            _socket.Bind($"tcp://{host}:{port}");
            _socket.ReceiveReady += (_, _) =>
            {
                var message = _socket.ReceiveMultipartMessage();   // Identity, an empty frame, the question.
                Questions.Add(message[2].ToByteArray());
                if (answer is not null)
                {
                    _socket.SendMoreFrame(message[0].ToByteArray()).SendMoreFrameEmpty().SendFrame(answer);
                }
            };
            _poller.Add(_socket);
            _poller.RunAsync();
        }

        public List<byte[]> Questions { get; } = [];

        public void Dispose()
        {
            _poller.Dispose();
            _socket.Dispose();
        }
    }
}
