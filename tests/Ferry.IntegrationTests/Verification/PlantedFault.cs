namespace Ferry.IntegrationTests.Verification;

/// <summary>Marks a test that plants a fault and sees <c>ferry verify</c> find it.</summary>
internal static class PlantedFault
{
    /// <summary>Name of the trait; its value is the probe.</summary>
    public const string Trait = "planted-fault";
}
