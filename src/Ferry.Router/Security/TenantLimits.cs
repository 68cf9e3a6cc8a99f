namespace Ferry.Router.Security;

/// <summary>What one API key may use, and what it has used. Survives a reload that changes the limits. Any thread.</summary>
/// <remarks>
/// Requests and tokens are buckets that refill over a minute. Tokens are charged when an answer says how many there were: the bucket may
/// fall below zero, and further requests wait until it is above again.
/// </remarks>
internal sealed class TenantLimits(TimeProvider clock)
{
    private readonly Lock _counting = new();
    private double _requests = double.PositiveInfinity;
    private double _tokens = double.PositiveInfinity;
    private long _filled = clock.GetTimestamp();
    private int _inFlight;

    /// <summary>0: no limit. All three.</summary>
    public int RequestsPerMinute { get; private set; }

    public int TokensPerMinute { get; private set; }

    public int MaxInFlight { get; private set; }

    public int InFlight { get { lock (_counting) { return _inFlight; } } }

    public void Set(int requestsPerMinute, int tokensPerMinute, int maxInFlight)
    {
        lock (_counting) { (RequestsPerMinute, TokensPerMinute, MaxInFlight) = (requestsPerMinute, tokensPerMinute, maxInFlight); }
    }

    /// <summary>Counts a request in. The caller calls <see cref="Leave"/> when it is over.</summary>
    /// <exception cref="RouterException">429: a limit is reached; Retry-After says when there is room.</exception>
    public void Enter(string tenant)
    {
        lock (_counting)
        {
            Fill();
            if (MaxInFlight > 0 && _inFlight >= MaxInFlight)
            {
                throw RouterException.TooMany($"{_inFlight} requests of '{tenant}' are in flight, which is its limit.", TimeSpan.FromSeconds(1));
            }
            if (RequestsPerMinute > 0 && _requests < 1)
            {
                throw RouterException.TooMany($"'{tenant}' has used its {RequestsPerMinute} requests a minute.", TimeSpan.FromMinutes((1 - _requests) / RequestsPerMinute));
            }
            if (TokensPerMinute > 0 && _tokens <= 0)
            {
                throw RouterException.TooMany($"'{tenant}' has used its {TokensPerMinute} tokens a minute.", TimeSpan.FromMinutes((1 - _tokens) / TokensPerMinute));
            }
            _requests--;
            _inFlight++;
        }
    }

    public void Leave() { lock (_counting) { _inFlight--; } }

    public void Used(long tokens) { lock (_counting) { _tokens -= tokens; } }

    private void Fill()
    {
        var minutes = clock.GetElapsedTime(_filled).TotalMinutes;
        _filled = clock.GetTimestamp();
        _requests = RequestsPerMinute > 0 ? Math.Min(RequestsPerMinute, _requests + (RequestsPerMinute * minutes)) : double.PositiveInfinity;
        _tokens = TokensPerMinute > 0 ? Math.Min(TokensPerMinute, _tokens + (TokensPerMinute * minutes)) : double.PositiveInfinity;
    }
}
