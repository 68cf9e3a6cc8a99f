using Ferry.Engine.Chat;
using Ferry.Engine.Tokenization;

namespace Ferry.Engine.Generation;

/// <summary>An engine that turns prompts into tokens. All members may be called from any thread.</summary>
public interface ILlmEngine : IAsyncDisposable
{
    EngineInfo Info { get; }

    Tokenizer Tokenizer { get; }

    /// <summary>Null when the model directory has none.</summary>
    ChatTemplate? ChatTemplate { get; }

    /// <summary>False when the engine has stopped or its loop has failed: it takes nothing any more.</summary>
    bool IsRunning => true;

    /// <summary>Takes a request in. The caller owns the handle; disposing it aborts what is not finished.</summary>
    /// <exception cref="EngineOverloadedException">The waiting queue is full.</exception>
    /// <exception cref="PromptTooLongException">Prompt and at least one new token do not fit into the context.</exception>
    /// <exception cref="ArgumentException">A parameter is out of its range; the message is meant for the user.</exception>
    /// <exception cref="ObjectDisposedException">The engine has stopped.</exception>
    GenerationHandle Submit(GenerationRequest request);

    /// <summary>Counters since the start and gauges of this moment.</summary>
    EngineStats Snapshot();
}
