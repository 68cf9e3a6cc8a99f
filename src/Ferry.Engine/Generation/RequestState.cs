using System.Threading.Channels;
using Ferry.Engine.Connector;
using Ferry.Engine.Scheduling;

namespace Ferry.Engine.Generation;

/// <summary>A request in flight. After its submission only the engine's thread touches it.</summary>
internal sealed class RequestState(GenerationRequest request, long submitted)
{
    private readonly Channel<GenerationOutput> _outputs =
        Channel.CreateUnbounded<GenerationOutput>(new UnboundedChannelOptions { SingleReader = false, SingleWriter = true });

    public GenerationRequest Request { get; } = request;

    /// <summary>The prompt as one piece of memory, for the connector.</summary>
    public int[] Prompt { get; } = [.. request.Prompt];

    public SamplingParams Sampling => Request.Sampling;

    /// <summary>Time stamp of the submission.</summary>
    public long Submitted { get; } = submitted;

    /// <summary>At most one increment a token, so max_model_len bounds it; a slow reader never stalls the engine.</summary>
    public ChannelReader<GenerationOutput> Outputs => _outputs.Reader;

    /// <summary>Most tokens of output of one choice.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>Tokens that end a choice: stop tokens, and eos unless ignored.</summary>
    public required IReadOnlyList<int> EndTokens { get; init; }

    /// <summary>Called once, when the first choice is first scheduled or the request ends without that.</summary>
    public Action? LeftQueue { get; init; }

    /// <summary>Called once, after the last choice ended.</summary>
    public Action? Ended { get; init; }

    public List<Choice> Choices { get; } = [];

    public Sequence Leader => Choices[0].Sequence;

    /// <summary>By position; filled as the prompt is computed. Null when not asked for.</summary>
    public TokenLogprobs?[]? PromptLogprobs { get; set; }

    /// <summary>Leading prompt tokens that the connector has been given.</summary>
    public int SavedTokens { get; set; }

    /// <summary>Under way, or null.</summary>
    public IKvLoad? Load { get; set; }

    /// <summary>Arrived and waiting for blocks, or null.</summary>
    public KvLoadResult? Loaded { get; set; }

    public long? LoadStarted { get; set; }

    public TimeSpan LoadTime { get; set; }

    public bool AllFinished => Choices.TrueForAll(c => c.Finished is not null);

    public bool AllCompleted => Choices.TrueForAll(c => c.Finished is FinishReason.Stop or FinishReason.Length);

    public void Emit(GenerationOutput output) => _outputs.Writer.TryWrite(output);

    public void Close() => _outputs.Writer.TryComplete();

    public void DropLoaded()
    {
        Loaded?.Dispose();
        Loaded = null;
    }
}
