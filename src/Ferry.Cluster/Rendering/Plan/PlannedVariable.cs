namespace Ferry.Cluster.Rendering.Plan;

/// <summary>An environment variable of a process: text, or text around a secret that stands there by reference.</summary>
/// <param name="Text">The value; with <paramref name="Secret"/> what stands before it.</param>
/// <param name="Comment">Why it is set; one line.</param>
/// <param name="Secret">The secret in the value; null: none.</param>
/// <param name="Rest">What stands behind the secret.</param>
public sealed record PlannedVariable(string Name, string Text, string Comment, PlannedSecret? Secret = null, string Rest = "")
{
    /// <summary>The secret alone, under its own name.</summary>
    public static PlannedVariable Of(PlannedSecret secret) => new(secret.Variable, "", secret.Purpose, secret);

    /// <summary>True when the value is the secret and nothing else, under the secret's own name.</summary>
    public bool IsSecretAlone => Secret is not null && Name == Secret.Variable && Text.Length == 0 && Rest.Length == 0;
}
