using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Ferry.Engine;
using Ferry.Engine.Chat;
using Ferry.Engine.Generation;
using Ferry.Engine.Tokenization;
using Ferry.Kv.Layout;

namespace Ferry.TestKit.Engines;

/// <summary>An engine for tests of what stands above it: it answers each request with what the test wrote down.</summary>
public sealed class ScriptedEngine : ILlmEngine
{
    private readonly ConcurrentDictionary<string, Channel<GenerationOutput>> _open = new();

    public ScriptedEngine()
    {
        Tokenizer = TestTokenizer.Create();
        ChatTemplate = ChatTemplate.Parse(TestTokenizer.ChatMl, Tokenizer.BosToken, Tokenizer.EosToken);
        Info = new EngineInfo
        {
            ModelName = "scripted",
            VocabularySize = Tokenizer.VocabularySize,
            MaxModelLen = 256,
            MaxNumSeqs = 4,
            MaxNumBatchedTokens = 64,
            BlockTokens = 16,
            BlockCount = 64,
            TensorParallelSize = 1,
            KvDType = KvDType.BFloat16,
            Device = DeviceProfile.Cpu,
            EosTokenIds = [Tokenizer.EosTokenId!.Value],
        };
        Script = request => Say(request, "Hello, world.");
    }

    public EngineInfo Info { get; set; }

    public Tokenizer Tokenizer { get; }

    public ChatTemplate? ChatTemplate { get; set; }

    public EngineStats Stats { get; set; } = new();

    /// <summary>What a request is answered with; the last output of each choice has its <see cref="FinishInfo"/>.</summary>
    public Func<GenerationRequest, IEnumerable<GenerationOutput>> Script { get; set; }

    /// <summary>Thrown by the next submissions instead of answering, while not null.</summary>
    public Func<GenerationRequest, Exception?>? Refuse { get; set; }

    /// <summary>When true a request stays open after its script, until it is aborted or <see cref="Finish"/> is called.</summary>
    public bool StayOpen { get; set; }

    public ConcurrentQueue<GenerationRequest> Requests { get; } = new();

    /// <summary>Ids of requests that were aborted before they ended.</summary>
    public ConcurrentQueue<string> Aborted { get; } = new();

    public GenerationHandle Submit(GenerationRequest request)
    {
        if (Refuse?.Invoke(request) is { } refusal) { throw refusal; }
        Requests.Enqueue(request);
        var channel = Channel.CreateUnbounded<GenerationOutput>();
        _open[request.RequestId] = channel;
        foreach (var output in Script(request)) { channel.Writer.TryWrite(output); }
        if (!StayOpen) { Close(request.RequestId); }
        return new GenerationHandle(request.RequestId, channel.Reader, () => Abort(request.RequestId));
    }

    public EngineStats Snapshot() => Stats;

    /// <summary>Gives further output to a request that is open.</summary>
    public void Emit(string requestId, GenerationOutput output) => _open[requestId].Writer.TryWrite(output);

    /// <summary>Ends a request that is open.</summary>
    public void Finish(string requestId, GenerationOutput last)
    {
        Emit(requestId, last);
        Close(requestId);
    }

    /// <summary>Increments of one token each for every choice, ended by <paramref name="reason"/>.</summary>
    public IEnumerable<GenerationOutput> Say(
        GenerationRequest request, string text, FinishReason reason = FinishReason.Stop, JsonObject? transferParams = null, object? stopReason = null)
    {
        var tokens = Tokenizer.Encode(text);
        for (var index = 0; index < request.Sampling.N; index++)
        {
            var decoder = Tokenizer.CreateDecoder();
            for (var i = 0; i < tokens.Length; i++)
            {
                TokenLogprobs[] logprobs = request.Sampling.Logprobs is null ? [] : [new TokenLogprobs(tokens[i], -0.5f, 1, [(tokens[i], -0.5f)])];
                var finish = i < tokens.Length - 1 ? null : Finished(reason, transferParams, stopReason);
                yield return new GenerationOutput(index, [tokens[i]], decoder.Append(tokens[i]), logprobs, finish);
            }
        }
    }

    public static FinishInfo Finished(FinishReason reason, JsonObject? transferParams = null, object? stopReason = null, string? error = null) => new(
        reason, stopReason, CachedTokens: 0, ExternalTokens: 0, transferParams,
        new RequestTimings(TimeSpan.FromMilliseconds(1), TimeSpan.Zero, TimeSpan.FromMilliseconds(2), TimeSpan.FromMilliseconds(3)), error);

    public ValueTask DisposeAsync()
    {
        foreach (var requestId in _open.Keys) { Abort(requestId); }
        return ValueTask.CompletedTask;
    }

    private void Close(string requestId)
    {
        if (_open.TryRemove(requestId, out var channel)) { channel.Writer.TryComplete(); }
    }

    private void Abort(string requestId)
    {
        if (!_open.TryGetValue(requestId, out var channel)) { return; }
        Aborted.Enqueue(requestId);
        channel.Writer.TryWrite(new GenerationOutput(0, [], "", [], Finished(FinishReason.Abort)));
        Close(requestId);
    }
}
