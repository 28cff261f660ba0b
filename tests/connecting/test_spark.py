"""The champion as a Spark function, as the README shows it, under a local Spark."""

import shutil

import numpy as np
import pytest

from pipeline import schema
from pipeline.registry import champion
from pipeline.tracking import connected
from tests.learning import made_up_splits


@pytest.fixture
def spark():
    if shutil.which("java") is None:
        pytest.skip("Spark needs a Java runtime: apt-get install openjdk-17-jre-headless")
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    yield session
    session.stop()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_champion_scores_as_a_spark_function(project, spark):
    columns = ["title", "text", *schema.HISTORY]
    reports = made_up_splits()[columns].head(50)
    with connected(project) as mlflow:
        score = mlflow.pyfunc.spark_udf(
            spark,
            "models:/dispute-triage-desk@champion",
            result_type="category string, category_probability double, risk double",
            env_manager="local",
        )
        table = spark.createDataFrame(reports)
        scored = table.withColumn("scores", score(*columns)).select("text", "scores.*").toPandas()
    expected = champion(project, "desk").score(reports)
    assert scored["category"].tolist() == expected["category"].tolist()
    np.testing.assert_allclose(scored["risk"], expected["risk"], atol=1e-6)
