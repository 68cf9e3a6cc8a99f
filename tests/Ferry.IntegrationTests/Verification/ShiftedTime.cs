namespace Ferry.IntegrationTests.Verification;

/// <summary>The system's clock, off by some time.</summary>
internal sealed class ShiftedTime(TimeSpan shift) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + shift;
}
