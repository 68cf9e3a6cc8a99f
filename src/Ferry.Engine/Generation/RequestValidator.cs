using Ferry.Engine.Sampling;

namespace Ferry.Engine.Generation;

/// <summary>What a request must hold before the engine takes it.</summary>
internal static class RequestValidator
{
    private const int MaxIdCharacters = 1024;
    private const int MaxSaltCharacters = 1024;

    /// <exception cref="PromptTooLongException">No room for one token of output.</exception>
    /// <exception cref="ArgumentException">Anything else; the message is for the user.</exception>
    public static void Check(GenerationRequest request, EngineInfo info)
    {
        if (request.RequestId.Length is 0 or > MaxIdCharacters)
        {
            throw new ArgumentException($"The request id has {request.RequestId.Length} characters; 1 to {MaxIdCharacters} are allowed.");
        }
        if (request.CacheSalt.Length > MaxSaltCharacters)
        {
            throw new ArgumentException($"cache_salt has {request.CacheSalt.Length} characters; at most {MaxSaltCharacters} are allowed.");
        }
        if (request.Prompt.Count == 0) { throw new ArgumentException("The prompt is empty; it needs at least one token."); }
        if (request.Prompt.Count >= info.MaxModelLen) { throw new PromptTooLongException(request.Prompt.Count, info.MaxModelLen); }
        foreach (var token in request.Prompt)
        {
            if (token < 0 || token >= info.VocabularySize)
            {
                throw new ArgumentException($"The prompt has token {token}; the vocabulary has 0..{info.VocabularySize - 1}.");
            }
        }
        SamplingValidator.Check(request.Sampling, info.VocabularySize);
    }
}
