using System.Buffers;
using Ferry.Router.Prefixes;

namespace Ferry.Router.Choosing;

/// <summary>The keys of one prompt, made when first asked for. One request's tasks only; disposed exactly once.</summary>
internal sealed class ChoiceKeys(PrefixKnowledge knowledge, ChoiceFacts facts) : IDisposable
{
    /// <summary>Block lengths that one prompt is hashed for: prefill and decode nodes of two generations. Nodes with further ones count as knowing nothing.</summary>
    public const int MaxLengths = 4;

    private readonly List<PromptKeys> _all = new(2);
    private int[]? _tokens;
    private int _tokenCount;
    private bool _wasRead;

    public bool IsText
    {
        get
        {
            if (!_wasRead)
            {
                _wasRead = true;
                _tokens = PromptKeys.TryReadTokens(facts.Prompt.Span, out _tokenCount);
            }
            return _tokens is null;
        }
    }

    public IReadOnlyList<PromptKeys> Made => _all;

    public PromptKeys Text(int blockBytes)
    {
        if (_all.Count == 0) { _all.Add(PrefixKnowledge.OfText(facts, blockBytes)); }
        return _all[0];
    }

    /// <summary>Null: too many different lengths.</summary>
    public PromptKeys? Tokens(int blockTokens)
    {
        foreach (var made in _all)
        {
            if (made.BlockTokens == blockTokens) { return made; }
        }
        if (_all.Count == MaxLengths) { return null; }
        var keys = knowledge.OfTokens(facts, _tokens.AsSpan(0, _tokenCount), blockTokens);
        _all.Add(keys);
        return keys;
    }

    public void Dispose()
    {
        foreach (var keys in _all) { keys.Dispose(); }
        _all.Clear();
        if (_tokens is { } tokens)
        {
            _tokens = null;
            ArrayPool<int>.Shared.Return(tokens);
        }
    }
}
