using Ferry.Router;
using Xunit;

namespace Ferry.UnitTests.Router;

public sealed class RouterOptionsValidatorTests
{
    private static readonly RouterOptions Good = new() { Prefill = [new Uri("http://a:8000")], Decode = [new Uri("http://b:8001")] };

    [Fact]
    public void Validate_TwoNodes_HasNoErrors() => Assert.Empty(RouterOptionsValidator.Validate(Good));

    [Fact]
    public void Validate_SeveralMistakes_ReportsAllAtOnce()
    {
        var errors = RouterOptionsValidator.Validate(Good with
        {
            Prefill = [],
            Decode = [new Uri("http://b:8001/v1"), new Uri("ftp://c"), new Uri("http://d"), new Uri("http://d")],
            MaxInFlight = 0,
            Policy = "random",
        });
        Assert.Equal(6, errors.Count);
        Assert.Contains(errors, error => error.StartsWith("--policy is 'random'; it must be one of round-robin", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("http://d/ is named twice", StringComparison.Ordinal));
    }

    [Fact]
    public void Validate_AdminReachableWithoutToken_IsRefused() =>
        Assert.Contains(RouterOptionsValidator.Validate(Good with { AdminHost = "0.0.0.0" }), error => error.Contains("--admin-token-file", StringComparison.Ordinal));
}
