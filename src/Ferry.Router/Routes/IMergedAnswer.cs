namespace Ferry.Router.Routes;

/// <summary>One answer made of one a prompt and choice.</summary>
internal interface IMergedAnswer : IDisposable
{
    /// <summary>Takes the decode node's answer for choice <paramref name="index"/> in. Called from several tasks at a time.</summary>
    /// <param name="countsPrompt">Whether this answer's prompt tokens count: of the choices of one prompt only the first's do.</param>
    /// <param name="prompt">What of the answer the prefill node gave; null: nothing.</param>
    /// <param name="prefillCachedTokens">Prompt tokens that the prefill node had already; null: it did not say, or there was no hand-over.</param>
    Task TakeAsync(int index, bool countsPrompt, DecodeAnswer answer, PromptPart? prompt, int? prefillCachedTokens, CancellationToken cancellationToken);

    /// <summary>All were taken: writes what is left.</summary>
    Task EndAsync(CancellationToken cancellationToken);

    /// <summary>One failed: its error is the client's, as a body or, when a stream has begun, as an event.</summary>
    Task FailAsync(int status, string contentType, ReadOnlyMemory<byte> error, CancellationToken cancellationToken);
}
