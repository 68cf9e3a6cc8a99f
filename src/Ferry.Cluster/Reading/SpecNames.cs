namespace Ferry.Cluster.Reading;

/// <summary>Names and meanings of the values of ferry.yaml's enumerations.</summary>
public static class SpecNames
{
    /// <summary>The value as ferry.yaml writes it.</summary>
    public static string Of<T>(T value)
        where T : struct, Enum => SpecChoices.NameOf(value);

    /// <summary>What it means.</summary>
    public static string TextOf<T>(T value)
        where T : struct, Enum => SpecChoices.Of(typeof(T)).First(choice => choice.Value.Equals(value)).Text;
}
