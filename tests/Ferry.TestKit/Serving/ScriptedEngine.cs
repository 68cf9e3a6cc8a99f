using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Ferry.Engine;
using Ferry.Engine.Chat;
using Ferry.Engine.Generation;
using Ferry.Engine.Tokenization;
using Ferry.Kv.Layout;

namespace Ferry.TestKit.Serving;

/// <summary>An engine that answers from a script: the bytes of a text, one token each. No model, no threads of its own beyond the requests'.</summary>
public sealed class ScriptedEngine : ILlmEngine
{
    private readonly ConcurrentDictionary<string, byte> _aborted = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<GenerationRequest> _requests = new();
    private readonly ConcurrentBag<Task> _running = [];
    private int _inFlight;

    public ScriptedEngine(int maxModelLen = 512)
    {
        Tokenizer = ByteTokenizer.Create();
        ChatTemplate = ChatTemplate.Parse(Tokenizer.ChatTemplateSource!, "", "<|im_end|>");
        Info = new EngineInfo
        {
            ModelName = "scripted",
            VocabularySize = ByteTokenizer.VocabularySize,
            MaxModelLen = maxModelLen,
            MaxNumSeqs = 8,
            MaxNumBatchedTokens = 512,
            BlockTokens = 16,
            BlockCount = 64,
            TensorParallelSize = 1,
            KvDType = KvDType.BFloat16,
            Device = DeviceProfile.Cpu,
            EosTokenIds = [ByteTokenizer.ImEnd],
        };
    }

    public EngineInfo Info { get; }

    public Tokenizer Tokenizer { get; }

    public ChatTemplate? ChatTemplate { get; set; }

    public bool IsRunning { get; set; } = true;

    /// <summary>What every choice says, cut at max_tokens.</summary>
    public string Reply { get; set; } = "Hello, world!";

    /// <summary>kv_transfer_params of the end, for requests that ask for do_remote_decode.</summary>
    public JsonObject? TransferParams { get; set; }

    public int CachedTokens { get; set; }

    public int ExternalTokens { get; set; }

    /// <summary>Tokens that come before the engine waits for <see cref="Gate"/>; null: it never waits.</summary>
    public int? TokensBeforeGate { get; set; }

    public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Set when the first request was aborted.</summary>
    public TaskCompletionSource Aborted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends every choice with an error after this many tokens.</summary>
    public int? FailsAfterTokens { get; set; }

    /// <summary>Refuses every request: the queue is full.</summary>
    public bool IsFull { get; set; }

    public IReadOnlyCollection<GenerationRequest> Requests => _requests;

    public int InFlight => Volatile.Read(ref _inFlight);

    public GenerationHandle Submit(GenerationRequest request)
    {
        ObjectDisposedException.ThrowIf(!IsRunning, this);
        if (IsFull)
        {
            throw new EngineOverloadedException("64 requests are waiting, which is the limit.");
        }
        if (request.Prompt.Count >= Info.MaxModelLen)
        {
            throw new PromptTooLongException(request.Prompt.Count, Info.MaxModelLen);
        }
        _requests.Enqueue(request);
        Interlocked.Increment(ref _inFlight);
        var outputs = Channel.CreateUnbounded<GenerationOutput>();
        var stopping = new CancellationTokenSource();
        _running.Add(PlayAsync(request, outputs.Writer, stopping.Token));
        return new GenerationHandle(request.RequestId, outputs.Reader, () =>
        {
            if (!outputs.Reader.Completion.IsCompleted && _aborted.TryAdd(request.RequestId, 0))
            {
                stopping.Cancel();
            }
        });
    }

    public EngineStats Snapshot() => new() { Running = InFlight, PromptTokens = _requests.Sum(request => request.Prompt.Count), FinishedAbort = _aborted.Count };

    public async ValueTask DisposeAsync()
    {
        IsRunning = false;
        Gate.TrySetResult();
        await Task.WhenAll(_running);
    }

    private async Task PlayAsync(GenerationRequest request, ChannelWriter<GenerationOutput> outputs, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Yield();
            for (var choice = 0; choice < request.Sampling.N; choice++)
            {
                await PlayChoiceAsync(request, choice, outputs, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            Aborted.TrySetResult();
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
            outputs.TryComplete();
        }
    }

    private async Task PlayChoiceAsync(GenerationRequest request, int choice, ChannelWriter<GenerationOutput> outputs, CancellationToken cancellationToken)
    {
        var bytes = Encoding.UTF8.GetBytes(Reply);
        var limit = Math.Min(bytes.Length, request.Sampling.MaxTokens ?? int.MaxValue);
        var decoder = Tokenizer.CreateDecoder();
        for (var index = 0; index < limit; index++)
        {
            if (TokensBeforeGate == index)
            {
                await Gate.Task.WaitAsync(cancellationToken);
            }
            cancellationToken.ThrowIfCancellationRequested();
            var fails = FailsAfterTokens == index;
            var isLast = index + 1 == limit || fails;
            var reason = fails ? FinishReason.Error : limit < bytes.Length ? FinishReason.Length : FinishReason.Stop;
            var finish = isLast ? Finish(request, reason) : null;
            var text = decoder.Append(bytes[index]) + (isLast ? decoder.Flush() : "");
            IReadOnlyList<TokenLogprobs> logprobs = request.Sampling.Logprobs is { } count ? [Logprobs(bytes[index], count)] : [];
            var promptLogprobs = index == 0 && choice == 0 && request.Sampling.PromptLogprobs is { } promptCount
                ? request.Prompt.Select((token, position) => position == 0 ? null : Logprobs(token, promptCount)).ToArray()
                : null;
            await outputs.WriteAsync(new GenerationOutput(choice, [bytes[index]], text, logprobs, finish, promptLogprobs), cancellationToken);
        }
    }

    private FinishInfo Finish(GenerationRequest request, FinishReason reason)
    {
        var lends = request.TransferParams?["do_remote_decode"]?.GetValue<bool>() == true;
        return new FinishInfo(
            reason, null, CachedTokens, ExternalTokens, lends ? (JsonObject?)TransferParams?.DeepClone() : null,
            new RequestTimings(TimeSpan.FromMilliseconds(1), TimeSpan.Zero, TimeSpan.FromMilliseconds(2), TimeSpan.FromMilliseconds(3)));
    }

    /// <summary>The chosen token at -0.5, alternatives "a", "b", … below it.</summary>
    private static TokenLogprobs Logprobs(int tokenId, int count) =>
        new(tokenId, -0.5f, 1, [.. Enumerable.Range(0, count).Select(rank => ('a' + rank, -1f - rank))]);
}
