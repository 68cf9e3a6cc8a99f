namespace Ferry.Engine.Generation;

/// <summary>A prompt that can never run on this engine.</summary>
public sealed class PromptTooLongException(int promptTokens, int maxModelLen) : Exception(
    $"The prompt has {promptTokens} tokens; this engine's context is {maxModelLen} tokens, of which at least one is for the output. " +
    "Shorten the prompt, or start the engine with a larger --max-model-len.")
{
    public int PromptTokens { get; } = promptTokens;

    public int MaxModelLen { get; } = maxModelLen;
}
